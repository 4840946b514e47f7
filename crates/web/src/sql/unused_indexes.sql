-- Indexes that nobody has scanned since counting began and that nothing needs. Above 1 MiB, and
-- counted for a week or more, one is worth a look; an index may serve a standby alone, or a yearly
-- report.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table unused_indexes, id (the metrics' key), sev_size_bytes text. Rows: one per index.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, database, max(ts) AS ts
    FROM collector.index_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance, database
)
SELECT i.instance || '.' || i.database || '.' || i.schema_name || '.' || i.index_name AS id,
       i.index_name, i.table_name, i.schema_name, i.size_bytes, i.idx_scan,
       i.counted_since AS counted_since_ms, extract(epoch FROM i.ts - i.counted_since)::float8 AS counted_secs,
       i.last_idx_scan AS last_scan_ms,
       format('DROP INDEX CONCURRENTLY %I.%I;', i.schema_name, i.index_name) AS command,
       i.definition, i.database, i.instance,
       CASE WHEN i.size_bytes > 1048576 AND i.ts - i.counted_since >= interval '7 days' THEN 'info' END AS sev_size_bytes
FROM newest
JOIN collector.index_metrics_raw i
  ON i.instance = newest.instance AND i.database = newest.database AND i.ts = newest.ts
WHERE i.host_id = $1 AND i.ts >= $2 AND i.ts < $3 AND i.idx_scan = 0 AND NOT i.is_needed
