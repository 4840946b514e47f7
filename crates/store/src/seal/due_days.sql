-- Days of tables to complete: those that are over, of which no hour waits for its roll-up, and that were not completed within
-- the last hour; and those whose rows expired while they were being sealed.
-- Parameters: $1 the instant before which a day has to end (timestamptz).
-- Columns: table_name text, day int4 (days since 1970). Rows: one per table and day, the oldest first.
-- Indexes: sealed_days_pkey.
SELECT d.table_name, d.day - date '1970-01-01'
FROM (
    SELECT t.table_name, p.day
    FROM collector.sealed_tables t
    JOIN pg_inherits i ON i.inhparent = ('collector.' || quote_ident(t.table_name))::regclass
    JOIN pg_class c ON c.oid = i.inhrelid AND c.relname ~ '_[0-9]{8}$'
    CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day) p
    WHERE p.day >= coalesce((SELECT first_day FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')
    UNION
    SELECT a.table_name, (a.bucket AT TIME ZONE 'UTC')::date FROM collector.sealing_hours a
) d
CROSS JOIN LATERAL (SELECT (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS "end") s
WHERE s."end" <= $1::timestamptz
  AND NOT EXISTS (SELECT FROM collector.sealed_days sealed
                  WHERE sealed.table_name = d.table_name AND sealed.day = d.day AND sealed.sealed_at > now() - interval '1 hour')
  AND d.day NOT IN (SELECT (bucket AT TIME ZONE 'UTC')::date FROM collector.changed_hours)
ORDER BY d.day, d.table_name
