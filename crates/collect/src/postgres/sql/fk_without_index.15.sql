-- Which foreign keys have no index that begins with their columns? One row each, biggest table first; value:
-- bytes of its heap, unknown before its first vacuum. Each DELETE of a row referred to then reads the whole
-- table. PostgreSQL 15 and newer, readable by everybody.
SELECT n.nspname || '.' || c.relname || '.' || k.conname AS object,
       CASE WHEN c.reltuples >= 0 THEN c.relpages::float8 * current_setting('block_size')::float8 END AS value,
       r.relname AS refers_to
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = k.confrelid
WHERE k.contype = 'f' AND c.relnamespace <> {own} AND NOT EXISTS (
  SELECT FROM pg_index i
  WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
    AND (SELECT array_agg(x ORDER BY x)
         FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) x)
      = (SELECT array_agg(x ORDER BY x) FROM unnest(k.conkey) x))
ORDER BY value DESC NULLS LAST, object;
