-- Which settings change what the numbers mean or risk data, and which wait for a restart? One row each;
-- value: the number, or 1 and 0 for on and off. PostgreSQL 15 and newer; a superuser's settings are left
-- out for others. Values of settings that are not listed here are not read: some hold passwords.
SELECT name AS object,
       CASE WHEN NOT listed THEN NULL WHEN vartype = 'bool' THEN (setting::bool)::int
            WHEN vartype IN ('integer', 'real') THEN setting::float8 END::float8 AS value,
       CASE WHEN listed THEN setting END AS setting, coalesce(unit, '') AS unit, source, pending_restart
FROM (SELECT *, name IN (
        'archive_mode', 'autovacuum', 'compute_query_id', 'data_checksums', 'fsync', 'full_page_writes',
        'idle_in_transaction_session_timeout', 'io_method', 'max_connections', 'max_slot_wal_keep_size',
        'max_wal_size', 'pg_stat_statements.max', 'pg_stat_statements.track',
        'pg_stat_statements.track_planning', 'shared_buffers', 'shared_preload_libraries',
        'statement_timeout', 'synchronous_commit', 'track_activities', 'track_counts', 'track_io_timing',
        'track_wal_io_timing', 'wal_level', 'work_mem') AS listed
      FROM pg_settings) s
WHERE listed OR pending_restart
ORDER BY pending_restart DESC, name;
