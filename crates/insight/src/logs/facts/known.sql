-- Since when each source of logs is known, within a range.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: log_metrics_hourly_pkey.
SELECT source, min(bucket) AS began
FROM collector.log_metrics_hourly
WHERE host_id = $1 AND bucket >= $2 AND bucket < $3
GROUP BY source
