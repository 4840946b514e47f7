-- Confirmed findings of a host that were open within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; to is not included).
-- Columns: finding_id int8, rule, target, kind, domain, metric, metric_key, severity, worst, title, message, steps
-- (one per line), command, action_sql text, value, current_value, threshold, expected float8, culprit, cause_rule,
-- cause_target, source, fingerprint, template text, opened_at, seen_at, unknown_since, resolved_at timestamptz,
-- occurrences int8. Texts are cut to what a page shows.
-- Rows: at most 2000: firing ones first, then those without data, then the worst, then the newest. Findings that are or ended pending are left out.
-- Indexes: findings_open for those that are open, findings_pkey.
WITH within AS (
    SELECT * FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND opened_at < $3 AND resolved_at IS NULL
    UNION ALL
    SELECT * FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND opened_at < $3 AND resolved_at >= $2
)
SELECT finding_id, rule, left(target, 400) AS target, kind, domain, metric, left(metric_key, 400) AS metric_key, severity, worst,
       left(title, 400) AS title, left(message, 4000) AS message,
       left(array_to_string(ARRAY(SELECT translate(step, E'\r\n', '  ') FROM unnest(steps) WITH ORDINALITY u (step, n) ORDER BY n), E'\n'),
            4000) AS steps,
       left(command, 4000) AS command, left(action_sql, 4000) AS action_sql, value, current_value, threshold, expected,
       left(details ->> 'cause', 400) AS culprit, cause_rule, left(cause_target, 400) AS cause_target,
       left(details ->> 'source', 400) AS source, left(details ->> 'fingerprint', 64) AS fingerprint,
       left(details ->> 'template', 400) AS template, opened_at, seen_at, unknown_since, resolved_at, occurrences
FROM within
ORDER BY resolved_at IS NOT NULL, unknown_since IS NOT NULL, array_position(ARRAY['critical', 'warn'], severity), opened_at DESC, finding_id DESC
LIMIT 2000
