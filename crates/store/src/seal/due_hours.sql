-- Hours to seal: those that are rolled up, as often as they are, of days that are not sealed yet.
-- Parameters: $1 at most so many int8.
-- Columns: table_name text, host_id int4, start timestamptz. Rows: one per table, host and hour, the oldest day first.
-- Indexes: rollups_pkey, sealing_hours_pkey, sealed_days_pkey, changed_hours_bucket.
SELECT t.table_name, r.host_id, r.bucket
FROM collector.sealed_tables t
JOIN pg_inherits i ON i.inhparent = ('collector.' || quote_ident(t.table_name))::regclass
JOIN pg_class c ON c.oid = i.inhrelid AND c.relname ~ '_[0-9]{8}$'
CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day) d
CROSS JOIN LATERAL (SELECT d.day::timestamp AT TIME ZONE 'UTC' AS begin, (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS "end") s
CROSS JOIN collector.hosts h
JOIN collector.rollups r ON r.host_id = h.host_id AND r.grain = 'hour' AND r.bucket >= s.begin AND r.bucket < s."end"
WHERE d.day >= coalesce((SELECT first_day FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')
  AND NOT EXISTS (SELECT FROM collector.sealed_days sealed WHERE sealed.table_name = t.table_name AND sealed.day = d.day)
  AND NOT EXISTS (SELECT FROM collector.sealing_hours a
                  WHERE a.host_id = r.host_id AND a.table_name = t.table_name AND a.bucket = r.bucket AND a.version = r.version)
  AND NOT EXISTS (SELECT FROM collector.changed_hours n WHERE n.host_id = r.host_id AND n.bucket = r.bucket)
ORDER BY d.day, t.table_name, r.host_id, r.bucket
LIMIT $1
