-- Which tables are due for autovacuum by their own thresholds? One row each at half the way and above,
-- most overdue first; value: dead rows in percent of the threshold. PostgreSQL 15 and newer, readable by
-- everybody. From 18 on a greatest threshold caps the others, and insertions count against pages not frozen
-- alone.
SELECT schema_name || '.' || table_name AS object, 100 * n_dead_tup / threshold AS value,
       n_dead_tup, threshold AS vacuum_threshold, n_ins_since_vacuum,
       insert_threshold, enabled AS autovacuum_enabled, last_any_vacuum
FROM (
  SELECT t.*, greatest(1, least(vt + vf * rows, nullif(vmax, -1))) AS threshold,
         it + ifactor * rows * (1 - frozen) AS insert_threshold
  FROM (
    SELECT n.nspname AS schema_name, c.relname AS table_name,
         pg_stat_get_dead_tuples(c.oid) AS n_dead_tup,
         pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum,
         greatest(c.reltuples, 0)::float8 AS rows,
         greatest(pg_stat_get_last_autovacuum_time(c.oid),
                  pg_stat_get_last_vacuum_time(c.oid)) AS last_any_vacuum,
         coalesce((SELECT split_part(x, '=', 2)::bool FROM unnest(c.reloptions) x
                   WHERE x LIKE 'autovacuum_enabled=%'), true) AS enabled,
         coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(c.reloptions) x
                   WHERE x LIKE 'autovacuum_vacuum_threshold=%'),
                   current_setting('autovacuum_vacuum_threshold')::float8) AS vt,
         coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(c.reloptions) x
                   WHERE x LIKE 'autovacuum_vacuum_scale_factor=%'),
                   current_setting('autovacuum_vacuum_scale_factor')::float8) AS vf,
         coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(c.reloptions) x
                   WHERE x LIKE 'autovacuum_vacuum_insert_threshold=%'),
                   current_setting('autovacuum_vacuum_insert_threshold')::float8) AS it,
         coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(c.reloptions) x
                   WHERE x LIKE 'autovacuum_vacuum_insert_scale_factor=%'),
                   current_setting('autovacuum_vacuum_insert_scale_factor')::float8) AS ifactor,
         NULL::float8 AS vmax, 0::float8 AS frozen -- @before 18
         coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(c.reloptions) x -- @since 18
                   WHERE x LIKE 'autovacuum_vacuum_max_threshold=%'), -- @since 18
                   current_setting('autovacuum_vacuum_max_threshold')::float8) AS vmax, -- @since 18
         least(c.relallfrozen, c.relpages)::float8 / greatest(c.relpages, 1) AS frozen -- @since 18
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384
      AND (pg_stat_get_dead_tuples(c.oid) > 0 OR pg_stat_get_ins_since_vacuum(c.oid) > 0)) t) q
WHERE n_dead_tup >= threshold / 2 OR n_ins_since_vacuum >= insert_threshold
ORDER BY value DESC;
