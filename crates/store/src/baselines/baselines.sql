-- Replaces baselines of a host.
-- Parameters: $1 host_id int4, $2 rows text (a JSON array), $3 updated_at timestamptz.
INSERT INTO collector.baselines (host_id, domain, metric, metric_key, time_window, mean, stddev, p5, p25, p50, p75, p95,
                                 robust_spread, sample_count, since, updated_at)
SELECT $1, domain, metric, metric_key, time_window, mean, stddev, p5, p25, p50, p75, p95, robust_spread, sample_count,
       to_timestamp(since_ms / 1000), $3
FROM json_to_recordset($2::json) AS r (
    domain text, metric text, metric_key text, time_window text, mean float8, stddev float8, p5 float8, p25 float8,
    p50 float8, p75 float8, p95 float8, robust_spread float8, sample_count int4, since_ms float8)
ON CONFLICT (host_id, domain, metric, metric_key, time_window) DO UPDATE
SET (mean, stddev, p5, p25, p50, p75, p95, robust_spread, sample_count, since, updated_at) =
    (excluded.mean, excluded.stddev, excluded.p5, excluded.p25, excluded.p50, excluded.p75, excluded.p95,
     excluded.robust_spread, excluded.sample_count, excluded.since, excluded.updated_at)
