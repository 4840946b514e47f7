-- Open, confirmed findings in the logs of a host that need action: the worst of each rule.
-- Parameters: $1 host_id int4, $2 how many of one rule (int8).
-- Columns: rule, target, severity, title, fingerprint, template text, steps text[] (the first two), opened_at timestamptz, more int8: the number of
-- findings of the rule that follow this row and are left out. Rows: at most 200, of one rule the worst first. Index: findings_open.
WITH ranked AS (
    SELECT rule, target, severity, title, steps[1:2] AS steps, details ->> 'fingerprint' AS fingerprint,
           details ->> 'template' AS template, opened_at, count(*) OVER (PARTITION BY rule) AS of_rule,
           row_number() OVER (PARTITION BY rule
                              ORDER BY severity = 'critical' DESC, value DESC NULLS LAST, opened_at, target) AS place
    FROM collector.findings
    WHERE host_id = $1 AND resolved_at IS NULL AND confirmed_at IS NOT NULL AND severity IN ('warn', 'critical')
)
SELECT rule, target, severity, left(title, 200) AS title, ARRAY(SELECT left(one, 400) FROM unnest(steps) WITH ORDINALITY AS step (one, at) ORDER BY at) AS steps, fingerprint, left(template, 200) AS template,
       opened_at, of_rule - place AS more
FROM ranked
WHERE place <= $2
ORDER BY severity = 'critical' DESC, rule, place
LIMIT 200
