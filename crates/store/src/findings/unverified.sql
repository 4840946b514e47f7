-- Findings of a host that ended within a range, were recommended to be acted upon, and were not looked at since.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 how many (int8).
-- Columns: finding_id int8, rule, target, metric, metric_key text (of the first transition, as a finding that was restored at a
-- start does not know them), value float8 (when it was opened), opened_at, resolved_at timestamptz, has_returned bool (the same
-- was found again within a day). Rows: the oldest first. Indexes: findings_resolved, finding_transitions_key, findings_key.
SELECT f.finding_id, f.rule, f.target, t.metric, t.metric_key, t.value, f.opened_at, f.resolved_at,
       EXISTS (SELECT FROM collector.findings again
               WHERE again.host_id = f.host_id AND again.rule = f.rule AND again.target = f.target AND again.confirmed_at IS NOT NULL
                 AND again.finding_id <> f.finding_id
                 AND again.opened_at > f.resolved_at AND again.opened_at <= f.resolved_at + interval '1 day') AS has_returned
FROM collector.findings f
LEFT JOIN LATERAL (
    SELECT h.metric, h.metric_key, h.value FROM collector.finding_transitions_raw h
    WHERE h.host_id = f.host_id AND h.rule = f.rule AND h.target = f.target AND h.ts >= f.opened_at AND h.ts <= f.resolved_at
      AND h.value IS NOT NULL
    ORDER BY h.ts LIMIT 1
) t ON true
WHERE f.host_id = $1 AND f.resolved_at >= $2 AND f.resolved_at < $3 AND f.confirmed_at IS NOT NULL AND f.verified_at IS NULL
  AND (f.kind = 'recommendation' OR f.details ? 'advice')
ORDER BY f.resolved_at
LIMIT $4
