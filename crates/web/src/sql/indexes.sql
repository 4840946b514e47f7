-- User indexes as of the newest slow tick of their database.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table indexes, id (the metrics' key), tag_issue text[], sev_is_valid text.
-- Rows: one per index. Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, database, max(ts) AS ts
    FROM collector.index_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance, database
)
SELECT i.instance || '.' || i.database || '.' || i.schema_name || '.' || i.index_name AS id,
       i.index_name, i.table_name, i.schema_name, i.size_bytes, i.idx_scan, i.last_idx_scan AS last_scan_ms,
       i.is_unique, i.is_needed, i.is_valid, i.definition, i.database, i.instance,
       CASE WHEN NOT i.is_valid THEN 'warn' END AS sev_is_valid,
       array_remove(ARRAY[CASE WHEN i.idx_scan = 0 AND NOT i.is_needed THEN 'unused' END,
                          CASE WHEN NOT i.is_valid THEN 'invalid' END], NULL) AS tag_issue
FROM newest
JOIN collector.index_metrics_raw i
  ON i.instance = newest.instance AND i.database = newest.database AND i.ts = newest.ts
WHERE i.host_id = $1 AND i.ts >= $2 AND i.ts < $3
