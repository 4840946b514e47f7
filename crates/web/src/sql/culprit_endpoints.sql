-- Endpoints whose answers were server errors within a few minutes, those with most first.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: target, endpoint text, status int4, failed int8. Rows: at most 200.
-- Indexes: (host_id, ts) of each partition.
WITH steps AS (
    SELECT target, endpoint, status, {step responses} AS n
    FROM collector.endpoint_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND status >= 500
    WINDOW w AS (PARTITION BY target, endpoint, status ORDER BY ts)
)
SELECT target, left(endpoint, 200) AS endpoint, status, sum(n)::int8 AS failed
FROM steps
WHERE n > 0
GROUP BY target, endpoint, status
ORDER BY failed DESC, target, endpoint, status
LIMIT 200
