-- Alerts of a host that ended since an instant, the newest first. What followed from another alert is left out.
-- Parameters: $1 host_id int4, $2 since timestamptz, $3 how many (int8).
-- Columns: id, rule, target, domain, severity (the worst), title, message, metric, fingerprint, template text,
-- opened_at, resolved_at timestamptz. Index: findings_key, of the causes.
SELECT finding_id::text AS id, rule, target, domain, worst AS severity, left(title, 200) AS title, left(message, 300) AS message, metric,
       details ->> 'fingerprint' AS fingerprint, left(details ->> 'template', 200) AS template, opened_at, resolved_at
FROM collector.findings f
WHERE host_id = $1 AND kind = 'alert' AND confirmed_at IS NOT NULL AND resolved_at >= $2 AND worst IN ('warn', 'critical')
  AND NOT EXISTS (
        SELECT FROM collector.findings c
        WHERE c.host_id = f.host_id AND c.rule = f.cause_rule AND c.target = f.cause_target AND c.confirmed_at IS NOT NULL
          AND c.opened_at <= f.resolved_at AND coalesce(c.resolved_at, 'infinity') >= f.opened_at)
ORDER BY resolved_at DESC, finding_id DESC
LIMIT $3
