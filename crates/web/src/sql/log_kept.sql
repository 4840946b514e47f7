-- Since when lines of logs are kept, if a range reaches further back and has counts there.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: kept_from timestamptz. Rows: one, or none while every line of the range is kept.
-- Index: log_metrics_hourly_pkey.
SELECT k.first_day::timestamp AT TIME ZONE 'UTC' AS kept_from
FROM collector.kept k
WHERE k.keep = 'lines' AND k.days IS NOT NULL AND k.first_day::timestamp AT TIME ZONE 'UTC' > $2
  AND EXISTS (SELECT FROM collector.log_metrics_hourly m
              WHERE m.host_id = $1 AND m.bucket >= date_trunc('hour', $2, 'UTC')
                AND m.bucket < least($3, k.first_day::timestamp AT TIME ZONE 'UTC'))
