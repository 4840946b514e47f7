-- Lines of logs that were lost in a range, as the collector noted them.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: reason text (`source: reason, n bytes`), gaps int8, first, last timestamptz. Rows: at most 200, the newest first.
-- Index: (host_id, ts) of each partition.
SELECT reason, count(*) AS gaps, min(ts) AS first, max(ts) AS last
FROM collector.data_gaps
WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND class = 'logs'
GROUP BY reason
ORDER BY last DESC, reason
LIMIT 200
