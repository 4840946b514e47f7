-- The columns of an `Alert` where only its condition is shown, of a row of collector.findings: what else it has is left empty.
finding_id, rule, left(target, 400) AS target, kind, domain, metric, left(metric_key, 400) AS metric_key, severity, worst,
       left(title, 400) AS title, left(message, 400) AS message, '' AS steps, NULL::text AS command, NULL::text AS action_sql,
       value, current_value, threshold, expected, NULL::text AS culprit, cause_rule, left(cause_target, 400) AS cause_target,
       NULL::text AS source, left(details ->> 'fingerprint', 64) AS fingerprint,
       left(details ->> 'template', 400) AS template,
       NULL::text AS hypotheses, opened_at, seen_at, unknown_since, resolved_at, occurrences,
       coalesce(transition_at, seen_at) AS as_of,
       NULL::float8 AS z_score, NULL::float8 AS drift_pct, NULL::float8 AS baseline_stddev, acknowledged, NULL::text AS verified
