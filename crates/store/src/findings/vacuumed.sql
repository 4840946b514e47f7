-- When a table was vacuumed last, as of a slow tick within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 the table (text: server, database, schema, name with dots).
-- Columns: last_vacuum, last_autovacuum timestamptz. Rows: at most one.
SELECT last_vacuum, last_autovacuum
FROM collector.table_metrics_raw_all
WHERE host_id = $1 AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3 AND ts >= $2 AND ts < $3
  AND instance || '.' || database || '.' || schema_name || '.' || table_name = $4
ORDER BY ts DESC
LIMIT 1
