-- When something was wrong with metrics of a host.
-- Parameters: $1 host_id int4, $2 since timestamptz, $3 rule of problems that began together (text).
-- Columns: metric text (domain.name), target text (its key), opened_at timestamptz, resolved_at timestamptz (NULL: it lasts).
-- Rows: of warnings and worse their own time, of what belonged to problems that began together the time of these. The rule of a
-- metric is called like it, that of what is unusual has a prefix. Indexes: findings_open, findings_resolved, findings_key.
WITH known AS (
    SELECT regexp_replace(rule, '^unusual[.]', '') AS metric, target, opened_at, resolved_at, worst, cause_rule, cause_target
    FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND (resolved_at IS NULL OR resolved_at >= $2)
)
SELECT metric, target, opened_at, resolved_at
FROM known
WHERE worst IN ('warn', 'critical') AND metric LIKE '%.%'
UNION ALL
SELECT k.metric, k.target, c.opened_at, c.resolved_at
FROM known k
JOIN collector.findings c ON c.host_id = $1 AND c.rule = k.cause_rule AND c.target = k.cause_target
WHERE k.cause_rule = $3 AND k.metric LIKE '%.%'
