-- Confirmed findings of a host that were open within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; to is not included), $4 the present (timestamptz), $5 how many (int8).
-- Columns: {alert}.
-- Rows: firing ones first, then those without data, then the worst, then the newest. Findings that are or
-- ended pending are left out, and open ones that are no longer worth showing.
-- Indexes: findings_open for those that are open, findings_resolved.
WITH within AS (
    SELECT finding_id, severity, opened_at, resolved_at, unknown_since FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND opened_at < $3 AND resolved_at IS NULL AND coalesce(expires_at, 'infinity') > $4
    UNION ALL
    SELECT finding_id, severity, opened_at, resolved_at, unknown_since FROM collector.findings
    WHERE host_id = $1 AND confirmed_at IS NOT NULL AND opened_at < $3 AND resolved_at >= $2
), shown AS (
    -- Numbers alone: most of the work is to sort and to cut texts.
    SELECT finding_id, resolved_at IS NOT NULL AS is_resolved, unknown_since IS NOT NULL AS is_unknown,
           array_position(ARRAY['critical', 'warn'], severity) AS rank, opened_at
    FROM within
    ORDER BY is_resolved, is_unknown, rank, opened_at DESC, finding_id DESC
    LIMIT $5
)
SELECT {alert}
FROM (SELECT f.*, s.is_resolved, s.is_unknown, s.rank FROM shown s JOIN collector.findings f ON f.host_id = $1 AND f.finding_id = s.finding_id) f
ORDER BY is_resolved, is_unknown, rank, opened_at DESC, finding_id DESC
