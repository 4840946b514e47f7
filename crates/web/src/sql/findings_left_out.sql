-- Whether confirmed findings of a host ended within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; to is not included).
-- Columns: some bool. Rows: one. Index: findings_resolved.
SELECT EXISTS (SELECT FROM collector.findings
               WHERE host_id = $1 AND confirmed_at IS NOT NULL AND resolved_at >= $2 AND resolved_at < $3) AS some
