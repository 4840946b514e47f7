-- Which locks are held or awaited? One row, PostgreSQL 15 and newer, readable by everybody.
-- Modes count locks on relations alone: each transaction holds ExclusiveLock on its own number, which
-- would drown the rest. Waits count locks of every type. A snapshot, no counter.
SELECT count(*) FILTER (WHERE relation AND mode = 'AccessShareLock') AS lock_access_share,
       count(*) FILTER (WHERE relation AND mode = 'RowShareLock') AS lock_row_share,
       count(*) FILTER (WHERE relation AND mode = 'RowExclusiveLock') AS lock_row_exclusive,
       count(*) FILTER (WHERE relation AND mode = 'ShareUpdateExclusiveLock') AS lock_share_update_exclusive,
       count(*) FILTER (WHERE relation AND mode = 'ShareLock') AS lock_share,
       count(*) FILTER (WHERE relation AND mode = 'ShareRowExclusiveLock') AS lock_share_row_exclusive,
       count(*) FILTER (WHERE relation AND mode = 'ExclusiveLock') AS lock_exclusive,
       count(*) FILTER (WHERE relation AND mode = 'AccessExclusiveLock') AS lock_access_exclusive,
       count(*) FILTER (WHERE NOT granted) AS locks_waiting,
       coalesce(max(waited) FILTER (WHERE NOT granted), 0) AS longest_lock_wait_secs
FROM (SELECT locktype = 'relation' AS relation, mode, granted,
             extract(epoch FROM clock_timestamp() - waitstart)::float8 AS waited
      FROM pg_locks
      WHERE pid IS DISTINCT FROM pg_backend_pid()) l;
