-- Open, confirmed findings of every host that are problems: as worst.sql has them of one host, with the columns of a condition.
-- Parameters: $1 the present (timestamptz), $2 how many of one rule of a host (int8), $3 rules of which a low value is the
-- worse (text[]), $4 domains whose insights are problems, too (text[]), $5 rule of problems that began together (text).
-- Columns: {alert}, host_id int4, and more int8: the number of findings of the rule that follow this row.
-- Rows: at most 400 of a host, of one rule the worst first. Index: findings_open.
WITH shown AS (
    SELECT *, metric IS NOT NULL AND target = '*' AS is_rest
    FROM collector.findings
    WHERE resolved_at IS NULL AND confirmed_at IS NOT NULL AND coalesce(expires_at, 'infinity') > $1
      AND severity IN ('warn', 'critical') AND (kind = 'alert' OR domain = ANY ($4) OR cause_rule = $5)
), ranked AS (
    SELECT *, count(*) FILTER (WHERE NOT is_rest) OVER of_rule
               + coalesce(sum((details ->> 'more')::int8) FILTER (WHERE is_rest) OVER of_rule, 0)::int8 AS total,
           row_number() OVER (PARTITION BY host_id, rule
                              ORDER BY is_rest, severity = 'critical' DESC,
                                       CASE WHEN rule = ANY ($3) THEN -value ELSE value END DESC NULLS LAST, opened_at, target) AS place
    FROM shown
    WINDOW of_rule AS (PARTITION BY host_id, rule)
), of_host AS (
    SELECT *, row_number() OVER (PARTITION BY host_id ORDER BY severity = 'critical' DESC, rule, place) AS nth
    FROM ranked
    WHERE place <= $2 AND NOT is_rest
)
SELECT {alert},
       host_id, total - place AS more
FROM of_host
WHERE nth <= 400
ORDER BY host_id, nth
