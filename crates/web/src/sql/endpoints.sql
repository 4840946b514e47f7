-- Answers of each endpoint within a range, by status: sums of its samples, hours, days and months (store::sums), added up.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: those of table endpoints, id, tag_status text[]. Rows: one per endpoint that failed or answered.
-- Indexes: (host_id, ts) or (host_id, bucket) of each partition.
WITH pairs AS (
    SELECT target, endpoint, status, sum(responses)::int8 AS n, coalesce(max(last_seen), max(last_counted)) AS last_seen
    FROM {sums endpoint} sums
    GROUP BY target, endpoint, status
), pivot AS (
    SELECT target, endpoint, coalesce(sum(n) FILTER (WHERE status >= 400), 0)::int8 AS failures,
           nullif(sum(n) FILTER (WHERE status < 400), 0)::int8 AS ok,
           nullif(sum(n) FILTER (WHERE status = 400), 0)::int8 AS s400,
           nullif(sum(n) FILTER (WHERE status = 401), 0)::int8 AS s401,
           nullif(sum(n) FILTER (WHERE status = 403), 0)::int8 AS s403,
           nullif(sum(n) FILTER (WHERE status = 404), 0)::int8 AS s404,
           nullif(sum(n) FILTER (WHERE status = 405), 0)::int8 AS s405,
           nullif(sum(n) FILTER (WHERE status = 408), 0)::int8 AS s408,
           nullif(sum(n) FILTER (WHERE status = 409), 0)::int8 AS s409,
           nullif(sum(n) FILTER (WHERE status = 413), 0)::int8 AS s413,
           nullif(sum(n) FILTER (WHERE status = 422), 0)::int8 AS s422,
           nullif(sum(n) FILTER (WHERE status = 429), 0)::int8 AS s429,
           nullif(sum(n) FILTER (WHERE status / 100 = 4 AND status NOT IN (400, 401, 403, 404, 405, 408, 409, 413, 422, 429)), 0)::int8 AS s4xx,
           nullif(sum(n) FILTER (WHERE status = 500), 0)::int8 AS s500,
           nullif(sum(n) FILTER (WHERE status = 502), 0)::int8 AS s502,
           nullif(sum(n) FILTER (WHERE status = 503), 0)::int8 AS s503,
           nullif(sum(n) FILTER (WHERE status = 504), 0)::int8 AS s504,
           nullif(sum(n) FILTER (WHERE status / 100 = 5 AND status NOT IN (500, 502, 503, 504)), 0)::int8 AS s5xx,
           max(last_seen) FILTER (WHERE status >= 400 AND n > 0) AS last_seen_ms,
           array_agg(DISTINCT status::text) FILTER (WHERE status >= 400 AND n > 0) AS tag_status
    FROM pairs
    GROUP BY target, endpoint
)
SELECT target || '.' || endpoint AS id, pivot.*,
       100.0::float8 * failures / nullif(sum(failures) OVER (PARTITION BY target), 0)::float8 AS share_pct
FROM pivot
