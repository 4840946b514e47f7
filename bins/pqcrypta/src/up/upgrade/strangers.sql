-- What is not of this program: databases, roles, and relations outside the schema that no extension has. $1 is our database, $2 our roles.
SELECT 'database ' || datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', $1)
UNION ALL
SELECT 'role ' || rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> ALL ($2::text[])
UNION ALL
SELECT 'table ' || c.oid::regclass FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'collector')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
