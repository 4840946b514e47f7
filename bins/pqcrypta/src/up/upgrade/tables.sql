-- Tables with rows of their own, by name: columns that are written, whether their values have the same binary form in every release
-- (those of types that a database makes and of names of objects have not), and whether another table refers to it.
SELECT c.relname,
       array_agg(quote_ident(a.attname) ORDER BY a.attnum),
       bool_and(a.atttypid < 16384 AND t.typname !~ '^_?reg'),
       EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r'
GROUP BY c.oid, c.relname
ORDER BY c.relname
