-- What server is this, how near is wraparound, and which figures does nobody measure? One row, PostgreSQL 15
-- and newer, readable by everybody. `off` lists settings without which figures stay zero.
SELECT current_setting('server_version_num')::int4 AS version_num,
       pg_is_in_recovery() AS in_recovery,
       pg_postmaster_start_time() AS started_at,
       current_setting('max_connections')::int8 AS conn_max,
       current_setting('superuser_reserved_connections')::int8
         + coalesce(current_setting('reserved_connections', true)::int8, 0) AS conn_reserved,
       max(age(datfrozenxid)) * 100.0::float8 / 2147483648 AS wraparound_pct,
       max(mxid_age(datminmxid)) * 100.0::float8 / 2147483648 AS multixact_wraparound_pct,
       (SELECT count(*) FROM pg_prepared_xact()) AS prepared_xacts,
       array_remove(ARRAY[
         CASE WHEN current_setting('track_io_timing') = 'off' THEN 'track_io_timing' END,
         CASE WHEN current_setting('track_wal_io_timing') = 'off' THEN 'track_wal_io_timing' END,
         CASE WHEN current_setting('track_counts') = 'off' THEN 'track_counts' END,
         CASE WHEN current_setting('track_activities') = 'off' THEN 'track_activities' END], NULL) AS off
FROM pg_database;
