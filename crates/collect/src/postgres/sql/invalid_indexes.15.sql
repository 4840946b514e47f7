-- Which indexes failed to build? One row each that nobody builds just now, biggest first; value: bytes,
-- unknown before the table's first vacuum.
-- Queries do not use them, writes keep them up to date all the same. PostgreSQL 15 and newer, readable by
-- everybody.
SELECT n.nspname || '.' || c.relname AS object,
       CASE WHEN t.reltuples >= 0 THEN c.relpages::float8 * current_setting('block_size')::float8 END AS value,
       t.relname AS table_name, i.indisvalid, i.indisready, i.indislive
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND c.relnamespace <> {own}
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY value DESC NULLS LAST, object;
