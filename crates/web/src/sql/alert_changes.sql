-- Severities of the findings of a host within a range, as their transitions report them.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: rule, target text, at timestamptz, severity text. Rows: only those that differ from the transition before
-- of the same rule and target, at most 5000, the oldest first. Index: finding_transitions_ts.
SELECT rule, target, ts AS at, severity
FROM (SELECT rule, left(target, 400) AS target, ts, severity, transition,
             lag(severity) OVER (PARTITION BY rule, target ORDER BY ts) AS before
      FROM collector.finding_transitions_raw
      WHERE host_id = $1 AND ts >= $2 AND ts < $3) t
WHERE transition = 'opened' OR (severity IS DISTINCT FROM before AND transition <> 'resolved')
ORDER BY ts
LIMIT 5000
