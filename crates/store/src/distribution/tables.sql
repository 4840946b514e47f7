-- The tables of the store with what decides where their rows lie.
-- Columns: name text; has_host bool (it has the column host_id); keys text[] (its unique indexes whose columns lack host_id);
--   parents text[] (tables outside this schema's distributed ones that its foreign keys refer to, by name); triggers int8
--   (its own); narrow text[] (identity columns that are not bigint).
-- Rows: one per table, by name; partitions are part of theirs.
SELECT c.relname AS name,
       EXISTS (SELECT FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'host_id' AND NOT a.attisdropped) AS has_host,
       ARRAY(SELECT x.indexrelid::regclass::text FROM pg_catalog.pg_index x
             WHERE x.indrelid = c.oid AND x.indisunique
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attname = 'host_id' AND a.attnum = ANY (x.indkey::int2[]))
             ORDER BY 1) AS keys,
       ARRAY(SELECT DISTINCT p.relname::text FROM pg_catalog.pg_constraint k
             JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
             WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY 1) AS parents,
       (SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attidentity <> '' AND a.atttypid <> 'bigint'::regtype ORDER BY 1) AS narrow
FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1
