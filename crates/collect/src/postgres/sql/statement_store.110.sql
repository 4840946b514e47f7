-- How full is pg_stat_statements, and may we see all of it? One row, extension 1.10 and newer, readable
-- by everybody. Each eviction drops the least used twentieth.
SELECT i.dealloc, coalesce(extract(epoch FROM i.stats_reset)::text, '-') AS reset,
       current_setting('pg_stat_statements.max')::int8 AS max_entries,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
FROM {schema}.pg_stat_statements_info i;
