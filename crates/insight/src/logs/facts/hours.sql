-- Errors and warnings of each hour: hours ago and their counts, in like order. What is not there is 0.
-- $1 host int4, $2 from, $3 to (timestamptz, whole hours). Index: log_metrics_hourly_pkey.
SELECT source, level, array_agg((extract(epoch FROM $3 - bucket) / 3600)::int4) AS ago, array_agg(count) AS counts
FROM collector.log_metrics_hourly
WHERE host_id = $1 AND bucket >= $2 AND bucket < $3 AND level IN ('error', 'warn')
GROUP BY source, level
