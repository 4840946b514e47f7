-- Alerts and insights of a host that began since an instant.
-- Parameters: $1 host_id int4, $2 since timestamptz, $3 how many (int8).
-- Columns: rule text, opened_at, confirmed_at timestamptz, is_problem bool, cause_rule text (NULL: it followed from none).
-- Rows: the newest first; without those that a collector found in its first ten minutes, which had begun before.
-- Indexes: findings_open, findings_resolved (what was resolved before $2 did not begin since), agent_runs_started.
SELECT rule, opened_at, confirmed_at, worst IN ('warn', 'critical') AS is_problem, cause_rule
FROM collector.findings f
WHERE host_id = $1 AND (resolved_at IS NULL OR resolved_at >= $2) AND opened_at >= $2 AND confirmed_at IS NOT NULL
  AND kind <> 'recommendation'
  AND NOT EXISTS (SELECT FROM collector.agent_runs r
                  WHERE r.host_id = f.host_id AND r.started_at <= f.opened_at AND r.started_at > f.opened_at - interval '10 minutes')
ORDER BY opened_at DESC, finding_id DESC
LIMIT $3
