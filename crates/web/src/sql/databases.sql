-- The databases of every server at its newest tick; their size as of the newest slow tick.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table databases, and id (the metrics' key). Rows: one per database.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.database_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
), slow AS (
    SELECT DISTINCT ON (instance, database) instance, database, size_bytes, xid_age
    FROM collector.database_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND num_nonnulls(size_bytes, xid_age) > 0
    ORDER BY instance, database, ts DESC
)
SELECT d.instance || '.' || d.database AS id, d.instance, d.database, d.numbackends AS backends,
       slow.size_bytes, slow.xid_age
FROM newest
JOIN collector.database_metrics_raw d ON d.instance = newest.instance AND d.ts = newest.ts
LEFT JOIN slow ON slow.instance = d.instance AND slow.database = d.database
WHERE d.host_id = $1 AND d.ts >= $2 AND d.ts < $3
