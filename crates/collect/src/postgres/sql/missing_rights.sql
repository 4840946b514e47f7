-- Which of these rights does our role lack? Row n of $1 (role, schema, table or function), $2 (schema) and $3
-- (name) is a right; one row for each that is missing, with n and whether the role has it but does not
-- inherit it. PostgreSQL 15 and newer, readable by everybody. Names are looked up in the catalogue: the
-- functions that look them up fail in a schema that is closed. What is not there is not missed.
SELECT w.n, CASE WHEN w.kind = 'role' THEN pg_has_role(w.name, 'MEMBER') END AS is_member
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY w (kind, schema_name, name, n)
WHERE NOT coalesce(CASE w.kind
  WHEN 'role' THEN (SELECT pg_has_role(r.oid, 'USAGE') FROM pg_roles r WHERE r.rolname = w.name)
  WHEN 'schema' THEN (SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_namespace n WHERE n.nspname = w.name)
  WHEN 'table' THEN (SELECT has_table_privilege(c.oid, 'SELECT')
                     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = w.schema_name AND c.relname = w.name)
  WHEN 'function' THEN (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE'))
                        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                        WHERE n.nspname = w.schema_name AND p.proname = w.name) END, true)
ORDER BY w.n;
