-- The number of open, confirmed findings of a host.
-- Parameters: $1 host_id int4, $2 the present (timestamptz), $3 kinds (text[]).
-- Columns: severity text, is_unknown bool (there are no data to tell), count int8. Rows: the worst severity first.
-- Index: findings_open.
SELECT severity, unknown_since IS NOT NULL AS is_unknown, count(*)
FROM collector.findings
WHERE host_id = $1 AND resolved_at IS NULL AND confirmed_at IS NOT NULL AND coalesce(expires_at, 'infinity') > $2 AND kind = ANY ($3)
GROUP BY 1, 2
ORDER BY array_position(ARRAY['critical', 'warn', 'info'], severity), 2
