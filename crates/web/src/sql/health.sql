-- The newest health score of each part of a host.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: those of table health, id, sev_domain text. Rows: one per part. Index: health_scores_ts.
SELECT domain AS id, domain, score, mean_score, capped_by, component_count,
       (SELECT string_agg(concat_ws(' ', c ->> 'name', nullif(c ->> 'key', '')) || ' ' || (c ->> 'score'), ', ' ORDER BY n)
        FROM jsonb_array_elements(components) WITH ORDINALITY AS e (c, n)
        WHERE (c ->> 'score')::float8 < 100 AND n <= 5) AS worst,
       CASE WHEN score IS NULL THEN 'unknown' WHEN score < 40 THEN 'critical' WHEN score < 70 THEN 'warn' ELSE 'ok' END AS sev_domain
FROM (SELECT DISTINCT ON (domain) * FROM collector.health_scores
      WHERE host_id = $1 AND ts >= $2 AND ts < $3
      ORDER BY domain, ts DESC) newest
ORDER BY domain
