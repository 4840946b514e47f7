-- What `pqcrypta doctor` asks once it is connected. One row.
-- Columns: release; seconds by which the server's clock is ahead of $1 (microseconds since the
-- epoch); whether the login role may store, may read statistics, is a superuser; which of the tables $2 (text[])
-- lack tomorrow's partition (text[]); sessions of clients, and how many there may be.
SELECT current_setting('server_version') AS version,
       extract(epoch FROM clock_timestamp())::float8 - $1::int8 / 1e6 AS clock_ahead_secs,
       coalesce(has_table_privilege(to_regclass('collector.system_metrics_raw'), 'INSERT'), false) AS may_store,
       pg_has_role('pg_read_all_stats', 'USAGE') AS may_read_statistics,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
       ARRAY(SELECT t.name FROM unnest($2::text[]) t(name)
             WHERE to_regclass('collector.' || quote_ident(t.name || '_'
                 || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD'))) IS NULL
             ORDER BY t.name) AS without_tomorrow,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int8 AS sessions,
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS most_sessions
