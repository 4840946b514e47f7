-- Answers of each endpoint within a span, by status: steps of the counters, added up. A step is exact however long it took, up to an
-- hour. A pair of endpoint and status that appears while its target is being watched began at 0; a counter that fell begins anew, and what it
-- shows then came since. What came before the first sample of a target, or of one that was away for more than an hour, is not known.
-- Parameters: $1 host_id int4; in braces the span, an hour before it, and the hour that this begins in (timestamptz).
-- Columns: those of endpoint_hours from target on. Rows: one per target, endpoint and status.
-- Indexes: (host_id, ts) of each partition.
(WITH samples AS MATERIALIZED (
    SELECT target, endpoint, status, ts, responses, last_seen,
           CASE WHEN lag(ts) OVER w >= ts - interval '1 hour' THEN {step_from_zero responses} END AS step
    FROM collector.endpoint_metrics_raw_all
    WHERE host_id = $1 AND ts >= {early} AND ts < {to} AND sample_hour >= {early_hour} AND sample_hour < {to}
    WINDOW w AS (PARTITION BY target, endpoint, status ORDER BY ts)
), ticks AS (
    SELECT target, ts, lag(ts) OVER (PARTITION BY target ORDER BY ts) >= ts - interval '1 hour' AS is_watched
    FROM samples
    GROUP BY target, ts
)
SELECT target, endpoint, status, sum(n)::int8 AS responses, max(last_seen) AS last_seen, max(ts) FILTER (WHERE n > 0) AS last_counted
FROM (SELECT s.target, s.endpoint, s.status, s.ts, s.last_seen,
             coalesce(s.step, CASE WHEN t.is_watched THEN s.responses END) AS n
      FROM samples s
      JOIN ticks t ON t.target = s.target AND t.ts = s.ts
      WHERE s.ts >= {from}) steps
GROUP BY target, endpoint, status)
