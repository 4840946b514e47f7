-- What is usual for each scored metric and key, and where it goes, as computed for the last full hour.
-- Parameters: $1 host_id int4.
-- Columns: id, metric, metric_key text, current_value float8, mean, stddev, p5, p95 (of 7 days), sample_count, since, slot_mean,
-- slot_stddev (of this hour of the week), slope_per_hour, trend_direction, confidence, forecast and band in 1, 6 and 24 hours, mase, updated_at.
-- Rows: one per metric and key with a trend. Indexes: the primary keys.
SELECT t.domain || '.' || t.metric || CASE WHEN t.metric_key = '' THEN '' ELSE '@' || t.metric_key END AS id,
       t.domain || '.' || t.metric AS metric, t.metric_key, t.current_value,
       b.mean, b.stddev, b.p5, b.p95, b.sample_count, b.since,
       h.mean AS slot_mean, h.stddev AS slot_stddev,
       t.slope_per_hour, t.trend_direction, t.confidence,
       t.forecast_1h, t.low_1h, t.high_1h, t.forecast_6h, t.low_6h, t.high_6h, t.forecast_24h, t.low_24h, t.high_24h,
       t.mase, t.updated_at
FROM collector.trend_forecasts t
LEFT JOIN collector.baselines b USING (host_id, domain, metric, metric_key)
LEFT JOIN collector.baselines_hourly h USING (host_id, domain, metric, metric_key, hour_of_week)
WHERE t.host_id = $1 AND (b.time_window = '7d' OR b.time_window IS NULL)
