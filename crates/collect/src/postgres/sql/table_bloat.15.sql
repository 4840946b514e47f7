-- How much of each big table's heap is not rows? One row per table, most first; value: bytes, estimated from
-- the width of columns in the planner's statistics, nothing is scanned. PostgreSQL 15 and newer. Statistics
-- of tables that our role may not read are closed: `hidden` counts those tables, their value is NULL.
-- Good for a trend and above 100 MB; never an exact number. Of the 200 biggest tables, as it is dear.
WITH k AS (SELECT current_setting('block_size')::float8 AS bs),
big AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace, c.reltuples, c.relpages, c.reloptions
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND c.reltuples > 0 AND c.relpages >= 8
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
    AND n.oid <> {own}
  ORDER BY c.relpages DESC LIMIT 200),
t AS (
  SELECT b.oid, n.nspname, b.relname, b.reltuples, b.relpages,
         coalesce((SELECT split_part(o, '=', 2)::float8 FROM unnest(b.reloptions) o
                   WHERE o LIKE 'fillfactor=%'), 100) AS fill,
         count(a.attname) AS cols, count(s.stawidth) AS seen,
         sum((1 - coalesce(s.stanullfrac, 0)) * coalesce(s.stawidth, 0)) AS width,
         max(coalesce(s.stanullfrac, 0)) AS nulls
  FROM big b
  JOIN pg_namespace n ON n.oid = b.relnamespace
  JOIN pg_attribute a ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN LATERAL (SELECT p.null_frac AS stanullfrac, p.avg_width AS stawidth FROM pg_stats p
                     WHERE p.schemaname = n.nspname AND p.tablename = b.relname
                       AND p.attname = a.attname AND NOT p.inherited) s
         ON has_table_privilege(b.oid, 'SELECT')
  GROUP BY 1, 2, 3, 4, 5, 6)
SELECT nspname || '.' || relname AS object,
       CASE WHEN seen = cols
            THEN greatest(0, relpages - ceil(reltuples::float8 * row_bytes / ((bs - 24) * fill / 100))) * bs
       END AS value,
       relpages * bs AS heap_bytes, count(*) FILTER (WHERE seen = 0) OVER () AS hidden
FROM (SELECT t.*, k.bs,
             ceil((23 + CASE WHEN nulls > 0 THEN (cols + 7) / 8 ELSE 0 END)::float8 / 8) * 8
               + ceil(width / 8) * 8 + 4 AS row_bytes
      FROM t, k) x
ORDER BY value DESC NULLS LAST, object LIMIT 50;
