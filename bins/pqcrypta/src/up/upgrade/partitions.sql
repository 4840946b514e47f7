-- Partitions: their parent, name, and day; the default one has none. In UTC.
SELECT p.relname, c.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''(\d{4}-\d\d-\d\d)')
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND c.relispartition
ORDER BY 1, 3 NULLS FIRST
