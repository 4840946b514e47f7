-- Which sequences run out? One row each, fullest first; value: percent used of the smaller of the sequence's
-- end and what fits the column that owns it. PostgreSQL 15 and newer. The last value needs USAGE or SELECT
-- on the sequence; `hidden` counts those where both are missing. Reading one takes a lock on it.
SELECT n.nspname || '.' || c.relname AS object,
       CASE WHEN s.seqincrement > 0 AND NOT s.seqcycle
            THEN 100 * l.last_value::float8 / least(s.seqmax, coalesce(o.type_max, s.seqmax)) END AS value,
       l.last_value, s.seqmax AS max_value, coalesce(o.owned_by, '') AS owned_by,
       count(*) FILTER (WHERE NOT l.visible) OVER () AS hidden
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
               AND c.relnamespace <> {own}
               AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_is_in_recovery())
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'SELECT,USAGE') AS visible) v
CROSS JOIN LATERAL (SELECT v.visible,
                           CASE WHEN v.visible THEN pg_sequence_last_value(c.oid) END AS last_value) l
LEFT JOIN LATERAL (
  SELECT t.relname || '.' || a.attname AS owned_by,
         CASE a.atttypid WHEN 'int2'::regtype THEN 32767::int8 WHEN 'int4'::regtype THEN 2147483647
                         ELSE 9223372036854775807 END AS type_max
  FROM pg_depend d
  JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') LIMIT 1) o ON true
ORDER BY value DESC NULLS LAST, object LIMIT 50;
