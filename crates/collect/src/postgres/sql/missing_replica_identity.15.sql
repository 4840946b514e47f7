-- Which published tables refuse UPDATE and DELETE, having no replica identity? One row each, most rows
-- first; value: rows, estimated. PostgreSQL 15 and newer, readable by everybody.
SELECT t.schemaname || '.' || t.tablename AS object, greatest(c.reltuples, 0)::float8 AS value,
       p.pubname AS publication
FROM pg_publication p
JOIN pg_publication_tables t USING (pubname)
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relname = t.tablename AND c.relnamespace = n.oid
WHERE (p.pubupdate OR p.pubdelete) AND n.oid <> {own}
  AND (c.relreplident = 'n'
       OR (c.relreplident = 'd'
           AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)))
ORDER BY value DESC, object;
