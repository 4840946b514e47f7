-- Days whose hours are to be put in order: those that are over, of which no hour waits for its roll-up, and that are small enough to
-- be rewritten at once.
-- Parameters: $1 the instant before which a day has to end (timestamptz), $2 most bytes of a day (int8).
-- Columns: day int4 (days since 1970). Rows: one per day, the newest first.
SELECT p.day - date '1970-01-01'
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relname ~ '_[0-9]{8}$'
JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND x.indisunique AND NOT x.indisclustered
CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day) p
CROSS JOIN LATERAL (SELECT (p.day + 1)::timestamp AT TIME ZONE 'UTC' AS "end") s
WHERE i.inhparent = 'collector.metric_hours'::regclass
  AND s."end" <= $1::timestamptz
  AND pg_catalog.pg_relation_size(c.oid) BETWEEN 1 AND $2::int8
  AND p.day NOT IN (SELECT (bucket AT TIME ZONE 'UTC')::date FROM collector.changed_hours)
ORDER BY p.day DESC
