-- Beginnings and the newest end of the findings of a host that began or ended since an instant.
-- Parameters: $1 host_id int4, $2 since timestamptz.
-- Columns: rule, target text, began timestamptz[] (those since $2, the oldest first), ended_at timestamptz (NULL: none since $2).
-- Rows: by rule and target, of those that were confirmed. Indexes: findings_open, findings_resolved.
SELECT rule, target, coalesce(array_agg(opened_at ORDER BY opened_at) FILTER (WHERE opened_at >= $2), '{}') AS began,
       max(resolved_at) FILTER (WHERE resolved_at >= $2) AS ended_at
FROM collector.findings
WHERE host_id = $1 AND confirmed_at IS NOT NULL AND (resolved_at >= $2 OR (resolved_at IS NULL AND opened_at >= $2))
GROUP BY rule, target
ORDER BY rule, target
