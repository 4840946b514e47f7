-- Confirmed findings of a host in numbers: those open now and those that ended.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 start of the day (timestamptz), $5 kinds (text[]).
-- Columns: severity text (of resolved ones the worst), firing, unknown, today, resolved (within the range) int8,
-- secs float8 (the sum of how long those lasted), last_id, last_title text, last_at timestamptz, last_secs float8 (of the one that ended last).
-- Rows: one per severity. Index: findings_pkey.
WITH known AS (
    SELECT finding_id, opened_at, unknown_since, resolved_at, CASE WHEN resolved_at IS NULL THEN severity ELSE worst END AS severity,
           CASE WHEN domain IN ('logs', 'security') OR message = '' THEN title ELSE message END AS title
    FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND kind = ANY ($5)
), last AS (
    SELECT DISTINCT ON (severity) severity, finding_id, title, resolved_at, extract(epoch FROM resolved_at - opened_at)::float8 AS secs
    FROM known
    WHERE resolved_at IS NOT NULL
    ORDER BY severity, resolved_at DESC, finding_id DESC
)
SELECT k.severity,
       count(*) FILTER (WHERE k.resolved_at IS NULL AND k.unknown_since IS NULL) AS firing,
       count(*) FILTER (WHERE k.resolved_at IS NULL AND k.unknown_since IS NOT NULL) AS unknown,
       count(*) FILTER (WHERE k.resolved_at >= $4) AS today,
       count(*) FILTER (WHERE k.resolved_at >= $2 AND k.resolved_at < $3) AS resolved,
       coalesce(sum(extract(epoch FROM k.resolved_at - k.opened_at)) FILTER (WHERE k.resolved_at >= $2 AND k.resolved_at < $3), 0)::float8
           AS secs,
       l.finding_id::text AS last_id, left(l.title, 400) AS last_title, l.resolved_at AS last_at, l.secs AS last_secs
FROM known k
LEFT JOIN last l USING (severity)
GROUP BY k.severity, l.finding_id, l.title, l.resolved_at, l.secs
ORDER BY array_position(ARRAY['critical', 'warn', 'info'], k.severity)
