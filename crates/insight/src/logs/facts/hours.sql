-- Errors and warnings of each hour. What has no row is 0.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: log_metrics_hourly_pkey.
SELECT source, level, bucket, count
FROM collector.log_metrics_hourly
WHERE host_id = $1 AND bucket >= $2 AND bucket < $3 AND level IN ('error', 'warn')
