-- Severities of some findings of a host within a range, as their transitions report them.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 rules, $5 the target of each (text[]).
-- Columns: rule, target text, at timestamptz, severity text. Rows: only those that differ from the transition before
-- of the same rule and target, at most 5000, the oldest first. Index: finding_transitions_key.
SELECT rule, target, ts AS at, severity
FROM (SELECT t.rule, t.target, t.ts, t.severity, t.transition, lag(t.severity) OVER (PARTITION BY t.rule, t.target ORDER BY t.ts) AS before
      FROM unnest($4, $5) k (rule, target)
      JOIN collector.finding_transitions_raw t ON t.host_id = $1 AND t.rule = k.rule AND t.target = k.target AND t.ts >= $2 AND t.ts < $3) h
WHERE transition = 'opened' OR (severity IS DISTINCT FROM before AND transition <> 'resolved')
ORDER BY ts
LIMIT 5000
