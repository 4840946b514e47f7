-- Which tables are due for autovacuum by their own thresholds? One row each at half the way and above,
-- most overdue first; value: dead rows in percent of the threshold. PostgreSQL 15 and newer, readable by
-- everybody. From 18 on a greatest threshold caps the others, and insertions count against pages not frozen
-- alone.
SELECT schema_name || '.' || table_name AS object, 100 * n_dead_tup / threshold AS value,
       n_dead_tup, threshold AS vacuum_threshold, n_ins_since_vacuum,
       insert_threshold, enabled AS autovacuum_enabled, last_any_vacuum
FROM (
  SELECT n.nspname AS schema_name, t.relname AS table_name, n_dead_tup, n_ins_since_vacuum,
         greatest(1, least(coalesce(a.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
                             + coalesce(a.factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
                               * rows,
           nullif(coalesce(a.most, current_setting('autovacuum_vacuum_max_threshold')::float8), -1) -- @since 18
           NULL -- @before 18
         )) AS threshold,
         coalesce(a.insert_threshold, current_setting('autovacuum_vacuum_insert_threshold')::float8)
           + coalesce(a.insert_factor, current_setting('autovacuum_vacuum_insert_scale_factor')::float8)
             * rows
             * (1 - least(relallfrozen, relpages)::float8 / greatest(relpages, 1)) -- @since 18
           AS insert_threshold,
         coalesce(a.enabled, true) AS enabled,
         greatest(pg_stat_get_last_autovacuum_time(t.oid), pg_stat_get_last_vacuum_time(t.oid)) AS last_any_vacuum
  FROM (SELECT *, greatest(reltuples, 0)::float8 AS rows,
               pg_stat_get_dead_tuples(oid) AS n_dead_tup,
               pg_stat_get_ins_since_vacuum(oid) AS n_ins_since_vacuum
        FROM pg_class WHERE relkind IN ('r', 'm') AND relpersistence <> 't' AND oid >= 16384
          AND relnamespace <> {own}) t
  JOIN pg_namespace n ON n.oid = t.relnamespace
  CROSS JOIN LATERAL (
    SELECT max(value) FILTER (WHERE name = 'autovacuum_vacuum_threshold')::float8 AS threshold,
           max(value) FILTER (WHERE name = 'autovacuum_vacuum_scale_factor')::float8 AS factor,
           max(value) FILTER (WHERE name = 'autovacuum_vacuum_max_threshold')::float8 AS most, -- @since 18
           max(value) FILTER (WHERE name = 'autovacuum_vacuum_insert_threshold')::float8 AS insert_threshold,
           max(value) FILTER (WHERE name = 'autovacuum_vacuum_insert_scale_factor')::float8 AS insert_factor,
           bool_and(value::bool) FILTER (WHERE name = 'autovacuum_enabled') AS enabled
    FROM pg_options_to_table(t.reloptions) o (name, value)) a
  WHERE n_dead_tup > 0 OR n_ins_since_vacuum > 0) q
WHERE n_dead_tup >= threshold / 2 OR n_ins_since_vacuum >= insert_threshold
ORDER BY value DESC;
