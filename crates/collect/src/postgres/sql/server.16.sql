-- What server is this, what owns its counters, and how near is wraparound? One row, PostgreSQL 16.
-- Blocks written by sessions come from pg_stat_io, so its reset counts too.
-- Readable by everybody. `lineage` tells whose counters these are: cluster, timeline and the reset of
-- the background writer, which moves after a crash too, while clean restarts keep every counter.
-- `reset` adds the resets of the counters of the server's own row. `off` lists settings without
-- which figures stay zero. The start of the postmaster is no mark: a crash of a backend keeps it.
SELECT current_setting('server_version_num')::int4 AS version_num,
       pg_is_in_recovery() AS in_recovery,
       pg_postmaster_start_time() AS started_at,
       concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                 (SELECT timeline_id FROM pg_control_checkpoint()),
                 extract(epoch FROM b.stats_reset)) AS lineage,
       concat_ws('/', extract(epoch FROM b.stats_reset),
                 coalesce(extract(epoch FROM (SELECT stats_reset FROM pg_stat_wal))::text, '-'),
                 coalesce(extract(epoch FROM (SELECT stats_reset FROM pg_stat_archiver))::text, '-'),
                 coalesce(extract(epoch FROM (SELECT max(stats_reset) FROM pg_stat_io))::text, '-')) AS reset,
       current_setting('max_connections')::int8 AS conn_max,
       current_setting('superuser_reserved_connections')::int8
         + coalesce(current_setting('reserved_connections', true)::int8, 0) AS conn_reserved,
       d.wraparound_pct, d.multixact_wraparound_pct,
       (SELECT count(*) FROM pg_prepared_xacts) AS prepared_xacts,
       array_remove(ARRAY[
         CASE WHEN current_setting('track_io_timing') = 'off' THEN 'track_io_timing' END,
         CASE WHEN current_setting('track_wal_io_timing') = 'off' THEN 'track_wal_io_timing' END,
         CASE WHEN current_setting('track_counts') = 'off' THEN 'track_counts' END,
         CASE WHEN current_setting('track_activities') = 'off' THEN 'track_activities' END], NULL) AS off
FROM pg_stat_bgwriter b
CROSS JOIN (SELECT max(age(datfrozenxid)) * 100.0::float8 / 2147483648 AS wraparound_pct,
                   max(mxid_age(datminmxid)) * 100.0::float8 / 2147483648 AS multixact_wraparound_pct
            FROM pg_database) d;
