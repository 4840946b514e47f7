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
       ARRAY(SELECT name
             FROM unnest(ARRAY['track_io_timing', 'track_wal_io_timing', 'track_counts', 'track_activities'])
                  WITH ORDINALITY w (name, place)
             WHERE current_setting(name) = 'off' ORDER BY place) AS off
FROM pg_database;
