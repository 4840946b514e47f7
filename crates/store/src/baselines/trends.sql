-- Replaces trends and forecasts of a host.
-- Parameters: $1 host_id int4, $2 rows text (a JSON array), $3 updated_at timestamptz.
INSERT INTO collector.trend_forecasts (host_id, domain, metric, metric_key, current_value, slope_per_hour, r_squared,
                                       trend_direction, confidence, forecast_1h, forecast_6h, forecast_24h, low_1h, high_1h,
                                       low_6h, high_6h, low_24h, high_24h, mase, hour_of_week, updated_at)
SELECT $1, domain, metric, metric_key, current_value, slope_per_hour, r_squared, trend_direction, confidence, forecast_1h,
       forecast_6h, forecast_24h, low_1h, high_1h, low_6h, high_6h, low_24h, high_24h, mase, hour_of_week, $3
FROM json_to_recordset($2::json) AS r (
    domain text, metric text, metric_key text, current_value float8, slope_per_hour float8, r_squared float8,
    trend_direction text, confidence float8, forecast_1h float8, forecast_6h float8, forecast_24h float8, low_1h float8,
    high_1h float8, low_6h float8, high_6h float8, low_24h float8, high_24h float8, mase float8, hour_of_week int2)
ON CONFLICT (host_id, domain, metric, metric_key) DO UPDATE
SET (current_value, slope_per_hour, r_squared, trend_direction, confidence, forecast_1h, forecast_6h, forecast_24h, low_1h,
     high_1h, low_6h, high_6h, low_24h, high_24h, mase, hour_of_week, updated_at) =
    (excluded.current_value, excluded.slope_per_hour, excluded.r_squared, excluded.trend_direction, excluded.confidence,
     excluded.forecast_1h, excluded.forecast_6h, excluded.forecast_24h, excluded.low_1h, excluded.high_1h, excluded.low_6h,
     excluded.high_6h, excluded.low_24h, excluded.high_24h, excluded.mase, excluded.hour_of_week, excluded.updated_at)
