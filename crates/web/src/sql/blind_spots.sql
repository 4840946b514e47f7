-- Statistics of each server that could not be read at its newest tick, with the fix.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table blind_spots, id, sev_state text. Rows: one per gap.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
)
SELECT b.instance || '.' || b.database || '.' || b.family AS id, b.family, b.state, b.message, b.remedy,
       b.database, b.instance,
       CASE WHEN b.state IN ('denied', 'failed', 'unreachable') THEN 'warn' ELSE 'info' END AS sev_state
FROM newest
JOIN collector.db_blind_spots_raw b ON b.instance = newest.instance AND b.ts = newest.ts
WHERE b.host_id = $1 AND b.ts >= $2 AND b.ts < $3
