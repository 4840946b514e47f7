-- The newest health score of each part of a host, and the lowest of each half hour of a day.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: those of table health, id, sev_domain text. Rows: one per part. Index: health_scores_ts.
WITH half_hours AS (
    SELECT domain, date_bin('30 min', ts, 'epoch') AS at, round(min(score)) AS lowest
    FROM collector.health_scores
    WHERE host_id = $1 AND ts >= $3 - interval '24 h' AND ts < $3
    GROUP BY 1, 2
), day AS (
    SELECT date_bin('30 min', $3 - interval '1 us', 'epoch') - interval '23.5 h' AS begins
)
SELECT domain AS id, domain, score, mean_score, capped_by, component_count,
       (SELECT string_agg(concat_ws(' ', c ->> 'name', nullif(c ->> 'key', '')) || ' ' || (c ->> 'score'), ', ' ORDER BY n)
        FROM jsonb_array_elements(components) WITH ORDINALITY AS e (c, n)
        WHERE (c ->> 'score')::float8 < 100 AND n <= 5) AS worst,
       (SELECT (1000 * extract(epoch FROM begins))::bigint || ' ' || string_agg(coalesce(lowest::text, ''), ',' ORDER BY n)
        FROM day CROSS JOIN generate_series(0, 47) n
        LEFT JOIN half_hours h ON h.domain = newest.domain AND h.at = begins + n * interval '30 min'
        GROUP BY begins) AS day,
       CASE WHEN score IS NULL THEN 'unknown' WHEN score < 40 THEN 'critical' WHEN score < 70 THEN 'warn' ELSE 'ok' END AS sev_domain
FROM (SELECT DISTINCT ON (domain) * FROM collector.health_scores
      WHERE host_id = $1 AND ts >= $2 AND ts < $3
      ORDER BY domain, ts DESC) newest
ORDER BY domain
