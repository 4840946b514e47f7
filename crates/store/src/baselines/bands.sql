-- What is usual for series of a host at some hours.
-- Parameters: $1 host_id int4, $2 metrics text[] (domain.name; NULL: all), $3 hours (timestamptz[], the start of each).
-- Columns: metric, metric_key text, hour timestamptz; mean, stddev, p95 of that hour of the week (float8, NULL where unknown);
-- week_p5, week_p95 of 7 days. Rows: one per series and hour, in this order. Indexes: the primary keys.
WITH asked AS (
    SELECT t.domain, t.metric, t.metric_key, h.hour,
           mod(mod(t.hour_of_week + floor(extract(epoch FROM h.hour - t.updated_at) / 3600)::int8, 168) + 168, 168)::int2 AS slot
    FROM collector.trend_forecasts t
    CROSS JOIN unnest($3::timestamptz[]) AS h (hour)
    WHERE t.host_id = $1 AND ($2::text[] IS NULL OR t.domain || '.' || t.metric = ANY ($2))
)
SELECT a.domain || '.' || a.metric AS metric, a.metric_key, a.hour, s.mean, s.stddev, s.p95, b.p5 AS week_p5, b.p95 AS week_p95
FROM asked a
LEFT JOIN collector.baselines_hourly s
    ON s.host_id = $1 AND s.domain = a.domain AND s.metric = a.metric AND s.metric_key = a.metric_key AND s.hour_of_week = a.slot
LEFT JOIN collector.baselines b
    ON b.host_id = $1 AND b.domain = a.domain AND b.metric = a.metric AND b.metric_key = a.metric_key AND b.time_window = '7d'
ORDER BY a.domain, a.metric, a.metric_key, a.hour
