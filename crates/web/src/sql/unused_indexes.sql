-- Indexes that nobody has scanned since counting began and that nothing needs. Above 1 MiB, and
-- counted for a week or more, one is worth a look; an index may serve a standby alone, or a yearly
-- report.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table unused_indexes, id (the metrics' key), sev_size_bytes text. Rows: one per index.
-- Indexes: (host_id, ts) of each partition.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest
    FROM collector.index_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
)
SELECT instance || '.' || database || '.' || schema_name || '.' || index_name AS id,
       index_name, table_name, schema_name, size_bytes, idx_scan,
       counted_since AS counted_since_ms, extract(epoch FROM ts - counted_since)::float8 AS counted_secs,
       last_idx_scan AS last_scan_ms,
       format('DROP INDEX CONCURRENTLY %I.%I;', schema_name, index_name) AS command,
       definition, database, instance,
       CASE WHEN size_bytes > 1048576 AND ts - counted_since >= interval '7 days' THEN 'info' END AS sev_size_bytes
FROM read
WHERE ts = newest AND idx_scan = 0 AND NOT is_needed
