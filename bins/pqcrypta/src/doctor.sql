-- What `pqcrypta doctor` asks once it is connected. One row.
-- Columns: release; seconds by which the server's clock is ahead of $1 (microseconds since the
-- epoch); whether the login role may store, may read statistics, is a superuser; how many of the
-- tables that have today's partition lack tomorrow's; sessions of clients, and how many there may be.
SELECT current_setting('server_version') AS version,
       extract(epoch FROM clock_timestamp())::float8 - $1::int8 / 1e6 AS clock_ahead_secs,
       coalesce(has_table_privilege(to_regclass('collector.system_metrics_raw'), 'INSERT'), false) AS may_store,
       pg_has_role('pg_read_all_stats', 'USAGE') AS may_read_statistics,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
       (SELECT count(*) FROM pg_class p
        WHERE p.relnamespace = to_regnamespace('collector') AND p.relkind = 'p'
          AND to_regclass('collector.' || quote_ident(p.relname || '_'
              || to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD'))) IS NOT NULL
          AND to_regclass('collector.' || quote_ident(p.relname || '_'
              || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD'))) IS NULL)::int8 AS without_tomorrow,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int8 AS sessions,
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS most_sessions
