-- In which schemas are sequences ($1 true) or tables (false) closed to our role? One row each, at most 20.
-- PostgreSQL 15 and newer, readable by everybody.
SELECT n.nspname::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relnamespace <> {own} AND c.relpersistence <> 't'
  AND CASE WHEN $1 THEN c.relkind = 'S' AND NOT has_sequence_privilege(c.oid, 'SELECT,USAGE')
           ELSE c.relkind IN ('r', 'm') AND NOT has_table_privilege(c.oid, 'SELECT') END
GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20;
