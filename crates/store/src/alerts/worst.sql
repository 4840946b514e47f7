-- Open, confirmed findings of a host that are problems: alerts, what is unusual in logs, and problems that began together with
-- whatever belongs to them. The worst of each rule.
-- Parameters: $1 host_id int4, $2 the present (timestamptz), $3 how many of one rule (int8), $4 rules of which a low value is
-- the worse (text[]), $5 domains whose insights are problems, too (text[]), $6 rule of problems that began together (text).
-- Columns: {alert}, and more int8: the number of findings of the rule that follow this row, including those that its judge
-- only counts in a finding of its own, which is left out.
-- Rows: at most 400, of one rule the worst first. Index: findings_open.
WITH shown AS (
    SELECT *, metric IS NOT NULL AND target = '*' AS is_rest
    FROM collector.findings
    WHERE host_id = $1 AND resolved_at IS NULL AND confirmed_at IS NOT NULL AND coalesce(expires_at, 'infinity') > $2
      AND severity IN ('warn', 'critical') AND (kind = 'alert' OR domain = ANY ($5) OR cause_rule = $6)
), ranked AS (
    SELECT *, count(*) FILTER (WHERE NOT is_rest) OVER of_rule
               + coalesce(sum((details ->> 'more')::int8) FILTER (WHERE is_rest) OVER of_rule, 0)::int8 AS total,
           row_number() OVER (PARTITION BY rule
                              ORDER BY is_rest, severity = 'critical' DESC,
                                       CASE WHEN rule = ANY ($4) THEN -value ELSE value END DESC NULLS LAST, opened_at, target) AS place
    FROM shown
    WINDOW of_rule AS (PARTITION BY rule)
)
SELECT {alert},
       total - place AS more
FROM ranked
WHERE place <= $3 AND NOT is_rest
ORDER BY severity = 'critical' DESC, rule, place
LIMIT 400
