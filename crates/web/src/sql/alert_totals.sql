-- Confirmed findings of a host that were resolved.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 start of the day (timestamptz), $5 kinds (text[]).
-- Columns: severity text (the worst), today, resolved (within the range) int8, secs float8 (the sum of how long those lasted).
-- Rows: one per severity. Index: findings_resolved.
SELECT worst AS severity,
       count(*) FILTER (WHERE resolved_at >= $4) AS today,
       count(*) FILTER (WHERE resolved_at >= $2 AND resolved_at < $3) AS resolved,
       coalesce(sum(extract(epoch FROM resolved_at - opened_at)) FILTER (WHERE resolved_at >= $2 AND resolved_at < $3), 0)::float8 AS secs
FROM collector.findings
WHERE host_id = $1 AND confirmed_at IS NOT NULL AND kind = ANY ($5) AND resolved_at >= least($2, $4)
GROUP BY worst
ORDER BY array_position(ARRAY['critical', 'warn', 'info'], worst)
