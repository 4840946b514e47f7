-- How the objectives of a host stood at an instant. One without data has a row without figures; one whose rows are older
-- than a quarter of an hour is not known any more.
-- Parameters: $1 host_id int4, $2 the instant timestamptz.
-- Columns: slo_name, metric_key text, ts timestamptz, domain, metric text, target_value float8, comparison text, target_pct float8,
--   description text, counted text, actual, good_pct float8, met bool, budget_consumed float8, violations, total_periods int8,
--   covered_minutes, burn_1h, burn_6h, burn_3d float8, severity text (the worst open finding about it).
-- Rows: one per objective and key. Indexes: slo_tracking_ts, slo_definitions_pkey, findings_open.
WITH defined AS (
    SELECT DISTINCT ON (slo_name) * FROM collector.slo_definitions
    WHERE host_id IN (0, $1) ORDER BY slo_name, host_id DESC
), tracked AS (
    SELECT DISTINCT ON (slo_name, metric_key) * FROM collector.slo_tracking
    WHERE host_id = $1 AND ts > $2::timestamptz - interval '15 minutes' AND ts <= $2
    ORDER BY slo_name, metric_key, ts DESC
)
SELECT d.slo_name, coalesce(t.metric_key, d.metric_key, ''), t.ts, d.domain, d.metric, d.target_value, d.comparison, d.target_pct,
       d.description, t.counted, t.actual, t.good_pct, t.met, t.budget_consumed, t.violations, t.total_periods,
       t.covered_minutes, t.burn_1h, t.burn_6h, t.burn_3d,
       (SELECT CASE max(CASE f.severity WHEN 'critical' THEN 3 WHEN 'warn' THEN 2 ELSE 1 END)
                    WHEN 3 THEN 'critical' WHEN 2 THEN 'warn' WHEN 1 THEN 'info' END
        FROM collector.findings f
        WHERE f.host_id = $1 AND f.resolved_at IS NULL AND f.confirmed_at IS NOT NULL AND starts_with(f.rule, 'slo_')
          AND f.target IN (d.slo_name, concat_ws('.', nullif(t.metric_key, ''), d.slo_name)))
FROM defined d
LEFT JOIN tracked t ON t.slo_name = d.slo_name
WHERE d.enabled
ORDER BY d.slo_name, 2
