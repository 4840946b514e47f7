-- What did each database do? One row per database and one for what they share, PostgreSQL 15 and newer.
-- Readable by everybody. Times are zero, not NULL, while track_io_timing is off: they become NULL here.
-- A share of cache hits is only true of steps, never of these totals. `reset` is empty until the first
-- reset and after a crash.
SELECT coalesce(datname::text, '<shared>') AS database,
       coalesce(extract(epoch FROM stats_reset)::text, '-') AS reset,
       coalesce(numbackends, 0)::int8 AS numbackends,
       xact_commit, xact_rollback, blks_read, blks_hit,
       tup_returned, tup_fetched, tup_inserted, tup_updated, tup_deleted,
       conflicts, temp_files, temp_bytes, deadlocks, checksum_failures,
       CASE WHEN current_setting('track_io_timing')::bool THEN blk_read_time END AS blk_read_ms_total,
       CASE WHEN current_setting('track_io_timing')::bool THEN blk_write_time END AS blk_write_ms_total,
       active_time AS active_ms_total, idle_in_transaction_time AS idle_in_xact_ms_total,
       sessions, sessions_abandoned, sessions_fatal, sessions_killed
FROM pg_stat_database
WHERE datname IS NOT NULL OR datid = 0;
