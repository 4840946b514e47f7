-- User indexes as of the newest slow tick of their database; the rate is of the step to the tick before,
-- unknown when the statistics were reset between them.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table indexes, id (the metrics' key), tag_issue text[], sev_is_valid text.
-- Rows: one per index. Indexes: (host_id, ts) of each partition.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest,
           extract(epoch FROM ts - lag(ts) OVER w)::float8 AS secs, idx_scan - lag(idx_scan) OVER w AS scans
    FROM collector.index_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    WINDOW w AS (PARTITION BY instance, database, schema_name, index_name, epoch ORDER BY ts)
)
SELECT instance || '.' || database || '.' || schema_name || '.' || index_name AS id,
       index_name, table_name, schema_name, size_bytes, CASE WHEN scans >= 0 THEN scans / secs END AS scans_per_sec,
       idx_scan, last_idx_scan AS last_scan_ms, is_unique, is_needed, is_valid, definition, database, instance,
       CASE WHEN NOT is_valid THEN 'warn' END AS sev_is_valid,
       array_remove(ARRAY[CASE WHEN idx_scan = 0 AND NOT is_needed THEN 'unused' END,
                          CASE WHEN NOT is_valid THEN 'invalid' END], NULL) AS tag_issue
FROM read
WHERE ts = newest
