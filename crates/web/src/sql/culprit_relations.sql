-- The command that fixes a table or an index, by the key of its metrics.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks), $4 keys text[].
-- Columns: key, database, command text. Rows: one per key that was sampled.
-- Indexes: (host_id, ts) of each partition.
SELECT DISTINCT instance || '.' || database || '.' || schema_name || '.' || table_name AS key, database,
       format('VACUUM (ANALYZE) %I.%I;', schema_name, table_name) AS command
FROM collector.table_metrics_raw
WHERE host_id = $1 AND ts >= $2 AND ts < $3
  AND instance || '.' || database || '.' || schema_name || '.' || table_name = ANY ($4)
UNION
SELECT instance || '.' || database || '.' || schema_name || '.' || index_name, database,
       format('REINDEX INDEX CONCURRENTLY %I.%I;', schema_name, index_name)
FROM collector.index_metrics_raw
WHERE host_id = $1 AND ts >= $2 AND ts < $3
  AND instance || '.' || database || '.' || schema_name || '.' || index_name = ANY ($4)
