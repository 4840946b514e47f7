-- What will reach its limit, as of the last full hour.
-- Parameters: $1 host_id int4.
-- Columns: those of collector.capacity_alerts, id, and hours until the earliest and the latest instant (float8).
-- Rows: one per metric and key. Index: capacity_alerts_pkey.
SELECT domain || '.' || metric || CASE WHEN metric_key = '' THEN '' ELSE '@' || metric_key END AS id,
       domain, metric, metric_key, severity, current_value, predicted_value, threshold, hours_until, confidence,
       earliest, latest, level, slope_per_hour, history, updated_at,
       extract(epoch FROM earliest - updated_at)::float8 / 3600 AS earliest_hours,
       extract(epoch FROM latest - updated_at)::float8 / 3600 AS latest_hours
FROM collector.capacity_alerts
WHERE host_id = $1
ORDER BY hours_until, id
