-- Statements that make the tables that are no partitions, as far as one that no migration makes needs it (an hour is sealed into such
-- a table until its day is over): columns, and those of which no statistics are kept. $1 is the owner.
SELECT c.relname,
       format('CREATE TABLE collector.%I (%s); ALTER TABLE collector.%I OWNER TO %I', c.relname,
              string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' END),
                         ', ' ORDER BY a.attnum), c.relname, $1::text)
       || coalesce(string_agg(format('; ALTER TABLE collector.%I ALTER COLUMN %I SET STATISTICS %s', c.relname, a.attname, a.attstattarget), '')
                   FILTER (WHERE a.attstattarget >= 0), '')
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
GROUP BY c.oid, c.relname
