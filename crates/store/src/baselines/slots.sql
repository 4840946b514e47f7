-- Replaces baselines of hours of the week of a host.
-- Parameters: $1 host_id int4, $2 rows text (a JSON array), $3 updated_at timestamptz.
INSERT INTO collector.baselines_hourly (host_id, domain, metric, metric_key, hour_of_week, mean, stddev, p50, p95,
                                        sample_count, updated_at)
SELECT $1, domain, metric, metric_key, hour_of_week, mean, stddev, p50, p95, sample_count, $3
FROM json_to_recordset($2::json) AS r (
    domain text, metric text, metric_key text, hour_of_week int2, mean float8, stddev float8, p50 float8, p95 float8,
    sample_count int4)
ON CONFLICT (host_id, domain, metric, metric_key, hour_of_week) DO UPDATE
SET (mean, stddev, p50, p95, sample_count, updated_at) =
    (excluded.mean, excluded.stddev, excluded.p50, excluded.p95, excluded.sample_count, excluded.updated_at)
