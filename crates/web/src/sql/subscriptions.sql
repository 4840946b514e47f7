-- Subscriptions as of the newest slow tick of each server.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table subscriptions, id (the metrics' key). Rows: one per subscription.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.subscription_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
)
SELECT s.instance || '.' || s.database || '.' || s.subscription AS id, s.subscription, s.enabled,
       s.tables_not_ready, s.apply_errors, s.sync_errors, s.conflicts, s.database, s.instance
FROM newest
JOIN collector.subscription_metrics_raw s ON s.instance = newest.instance AND s.ts = newest.ts
WHERE s.host_id = $1 AND s.ts >= $2 AND s.ts < $3
