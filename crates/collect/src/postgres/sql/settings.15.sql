-- Which settings change what the numbers mean or risk data, and which wait for a restart? One row each;
-- value: the number, or 1 and 0 for on and off. PostgreSQL 15 and newer; a superuser's settings are left
-- out for others. What the command line sets is marked as waiting after any reload if a file says otherwise, but
-- no restart changes it. As a new session has them: what our own session set is replaced by what it would have
-- otherwise. What is set for our role alone, or asked for by our connection, tells nothing about others: no
-- value then. Values of settings that are not listed here are not read: some hold
-- passwords.
SELECT name AS object,
       CASE WHEN NOT listed OR is_ours THEN NULL WHEN vartype = 'bool' THEN (fresh::bool)::int
            WHEN vartype IN ('integer', 'real') THEN fresh::float8 END::float8 AS value,
       CASE WHEN listed AND NOT is_ours THEN fresh END AS setting, coalesce(unit, '') AS unit,
       CASE WHEN is_ours THEN 'role of the collector' WHEN source <> 'session' THEN source
            WHEN fresh IS NOT DISTINCT FROM boot_val THEN 'default' ELSE 'configuration file' END AS source,
       waits AS pending_restart
FROM (SELECT p.*, p.pending_restart AND p.source <> 'command line' AS waits, p.name IN (
        'archive_mode', 'autovacuum', 'compute_query_id', 'data_checksums', 'fsync', 'full_page_writes',
        'idle_in_transaction_session_timeout', 'io_method', 'max_connections', 'max_slot_wal_keep_size',
        'max_wal_size', 'pg_stat_statements.max', 'pg_stat_statements.track',
        'pg_stat_statements.track_planning', 'shared_buffers', 'shared_preload_libraries',
        'statement_timeout', 'synchronous_commit', 'track_activities', 'track_counts', 'track_io_timing',
        'track_wal_io_timing', 'wal_level', 'work_mem') AS listed,
        CASE WHEN p.source = 'session' THEN p.reset_val ELSE p.setting END AS fresh,
        p.source IN ('user', 'database user', 'client')
          OR p.source = 'session' AND EXISTS (
            SELECT FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) u (entry)
            WHERE s.setrole = (SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user)
              AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
              AND split_part(u.entry, '=', 1) = p.name) AS is_ours
      FROM pg_settings p) s
WHERE listed OR waits
ORDER BY waits DESC, name;
