-- Findings of a host that ended since an instant, were warnings or critical, and did not follow from another one. Problems that
-- began together are among them, whatever the kinds: those that belong to them are not.
-- Parameters: $1 host_id int4, $2 since timestamptz, $3 kinds (text[]), $4 how many (int8), $5 rule of problems that began
-- together (text).
-- Columns: {alert}. Rows: the newest first. Indexes: findings_resolved, findings_key of the causes.
-- What followed from another one ended with it: the cause was there within the five minutes before. What outlived its cause
-- was a problem by itself.
SELECT {alert}
FROM collector.findings f
WHERE host_id = $1 AND (kind = ANY ($3) OR rule = $5) AND confirmed_at IS NOT NULL AND resolved_at >= $2 AND worst IN ('warn', 'critical')
  AND NOT EXISTS (
        SELECT FROM collector.findings c
        WHERE c.host_id = f.host_id AND c.rule = f.cause_rule AND c.target = f.cause_target AND c.confirmed_at IS NOT NULL
          AND c.opened_at <= f.resolved_at AND coalesce(c.resolved_at, 'infinity') >= f.resolved_at - interval '5 minutes')
ORDER BY resolved_at DESC, finding_id DESC
LIMIT $4
