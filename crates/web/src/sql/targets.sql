-- The newest row of every scraped target.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table targets, id (the metrics' key), sev_error text. Rows: one per target.
-- Indexes: (host_id, ts) of each partition.
SELECT DISTINCT ON (target) target AS id, target, kind, http_status::text AS http_status, bytes, mapped, unfilled, error,
       ts AS seen_ms, CASE WHEN 2 * unfilled > mapped THEN 'warn' END AS sev_unfilled,
       CASE WHEN error IS NOT NULL THEN CASE WHEN up THEN 'info' ELSE 'warn' END END AS sev_error
FROM collector.target_metrics_raw
WHERE host_id = $1 AND ts >= $2 AND ts < $3
ORDER BY target, ts DESC
