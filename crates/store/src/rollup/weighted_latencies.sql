-- Latencies of each API over an hour, weighted by the requests of each sample: what a sample with few requests says of
-- a percentile counts as little. Samples whose requests are not known, or none, do not count.
-- Parameters: $1 host_id int4, $2 start of the hour, $3 its end (timestamptz), $4 the longest step of a counter in seconds
--   float8, $5 layout int4.
-- Rows: one per API with requests; stats as of every metric (series::partials), the weight being requests.
-- Indexes: api_metrics_raw_ts.
INSERT INTO collector.metric_hours (bucket, host_id, layout, key, stats)
SELECT $2::timestamptz, $1::int4, $5::int4, target, ARRAY[
    ARRAY[min(avg_ms), max(avg_ms), sum(avg_ms * requests) / sum(requests) FILTER (WHERE avg_ms IS NOT NULL),
          sum(requests) FILTER (WHERE avg_ms IS NOT NULL), NULL],
    ARRAY[min(p50_ms), max(p50_ms), sum(p50_ms * requests) / sum(requests) FILTER (WHERE p50_ms IS NOT NULL),
          sum(requests) FILTER (WHERE p50_ms IS NOT NULL), NULL],
    ARRAY[min(p95_ms), max(p95_ms), sum(p95_ms * requests) / sum(requests) FILTER (WHERE p95_ms IS NOT NULL),
          sum(requests) FILTER (WHERE p95_ms IS NOT NULL), NULL],
    ARRAY[min(p99_ms), max(p99_ms), sum(p99_ms * requests) / sum(requests) FILTER (WHERE p99_ms IS NOT NULL),
          sum(requests) FILTER (WHERE p99_ms IS NOT NULL), NULL]]
FROM (
    SELECT ts, target, avg_ms, p50_ms, p95_ms, p99_ms, ({step total_requests})::float8 AS requests,
           date_part('epoch', ts - lag(ts) OVER w) AS secs
    FROM collector.api_metrics_raw
    WHERE host_id = $1 AND ts >= $2::timestamptz - make_interval(secs => $4::float8) AND ts < $3
    WINDOW w AS (PARTITION BY target ORDER BY ts)
) s
WHERE ts >= $2 AND secs <= $4 AND requests > 0
GROUP BY target
