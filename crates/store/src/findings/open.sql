-- Open findings of a host, those that are not confirmed included.
-- Parameters: $1 host_id int4.
-- Columns: those of a finding, with `details` text of those about problems that began together, and `transition_at` timestamptz: the
-- instant of its newest transition, or when it was seen last where no transition reached it. Rows: by rule and target.
-- Index: findings_open.
SELECT rule, target, kind, domain, severity, worst, title, message, steps, command, action_sql, metric, metric_key, value, current_value,
       threshold, expected, opened_at, confirmed_at, seen_at, unknown_since, occurrences,
       CASE WHEN domain = 'correlation' THEN details::text END AS details, cause_rule, cause_target,
       coalesce(transition_at, seen_at) AS transition_at
FROM collector.findings
WHERE host_id = $1 AND resolved_at IS NULL
ORDER BY rule, target
