-- The newest row of every scraped target; where no samples are kept, the names of those that hours or days know.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table targets, id (the metrics' key), sev_error text. Rows: one per target.
-- Indexes: (host_id, ts) of each partition; metric_hours and metric_days are read where there are no samples.
WITH newest AS (
    SELECT DISTINCT ON (target) *
    FROM collector.target_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    ORDER BY target, ts DESC
), known AS (
    SELECT key AS target,
           CASE WHEN bool_or(starts_with(metric, 'proxy.')) THEN 'proxy' WHEN bool_or(starts_with(metric, 'api.')) THEN 'api' END AS kind
    FROM (SELECT key, metric FROM collector.metrics_hourly WHERE host_id = $1 AND bucket = date_bin('1 hour', $3, 'epoch'::timestamptz)
          UNION ALL
          SELECT key, metric FROM collector.metrics_daily WHERE host_id = $1 AND bucket = date_bin('24 hours', $3, 'epoch'::timestamptz)) m
    WHERE NOT EXISTS (SELECT FROM newest)
    GROUP BY key
    HAVING bool_or(metric = 'target.up')
)
SELECT target AS id, target, coalesce(newest.kind, known.kind) AS kind, http_status::text AS http_status, bytes, mapped, unfilled, error,
       ts AS seen_ms, CASE WHEN 2 * unfilled > mapped THEN 'warn' END AS sev_unfilled,
       CASE WHEN error IS NOT NULL THEN CASE WHEN up THEN 'info' ELSE 'warn' END END AS sev_error
FROM newest
FULL JOIN known USING (target)
