-- Are all autovacuum workers busy, and with wraparound? One row; value: workers at work. PostgreSQL 15
-- and newer. Needs pg_read_all_stats.
SELECT 'workers' AS object, count(*)::float8 AS value,
       current_setting('autovacuum_max_workers')::int8 AS max_workers,
       count(*) FILTER (WHERE query LIKE '%(to prevent wraparound)') AS wraparound_workers,
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS longest_secs
FROM pg_stat_activity WHERE backend_type = 'autovacuum worker';
