-- The direction of what is unusual, beside its figures.
CREATE OR REPLACE VIEW collector.insights AS
SELECT host_id, finding_id AS id, opened_at AS ts, rule AS insight_type, severity, domain,
       CASE WHEN metric IS NULL THEN target ELSE metric_key END AS metric_key, title, message,
       coalesce(current_value, value) AS current_value, expected AS baseline_mean, score,
       resolved_at IS NOT NULL AS resolved, resolved_at, metric, target, value, baseline_stddev, z_score, drift_pct,
       worst, occurrences, expires_at,
       CASE sign(z_score) WHEN 1 THEN 'spike' WHEN -1 THEN 'drop' END AS direction
FROM collector.findings WHERE kind = 'insight' AND confirmed_at IS NOT NULL;

SELECT collector.describe($texts${
 "insights": {
  "direction": "spike above what is expected, drop below it; NULL where nothing is expected."
 }
}$texts$);
