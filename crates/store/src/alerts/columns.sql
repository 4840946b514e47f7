-- The columns of an `Alert`, of a row of collector.findings. Texts are cut to what a page shows.
finding_id, rule, left(target, 400) AS target, kind, domain, metric, left(metric_key, 400) AS metric_key, severity, worst,
       left(title, 400) AS title, left(message, 4000) AS message,
       left(array_to_string(ARRAY(SELECT translate(step, E'\r\n', '  ') FROM unnest(steps) WITH ORDINALITY u (step, n) ORDER BY n), E'\n'),
            4000) AS steps,
       left(command, 4000) AS command, left(action_sql, 4000) AS action_sql, value, current_value, threshold, expected,
       left(details ->> 'cause', 400) AS culprit, cause_rule, left(cause_target, 400) AS cause_target,
       left(details ->> 'source', 400) AS source, left(details ->> 'fingerprint', 64) AS fingerprint,
       left(details ->> 'template', 400) AS template,
       CASE WHEN domain = 'correlation' THEN (details -> 'hypotheses')::text END AS hypotheses, opened_at, seen_at, unknown_since, resolved_at, occurrences,
       coalesce(transition_at, seen_at) AS as_of,
       z_score, drift_pct, baseline_stddev, acknowledged, left(verified, 1000) AS verified
