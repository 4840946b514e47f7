-- Errors and warnings of a range, with the pattern that most of them have.
-- $1 host int4, $2 from, $3 to (timestamptz). Indexes: log_entries_grave_ts, log_patterns_pkey.
SELECT e.source, e.level, count(*) AS lines,
       mode() WITHIN GROUP (ORDER BY coalesce(p.alias_of, e.fingerprint)) AS pattern
FROM collector.log_entries e
LEFT JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = e.fingerprint
WHERE e.host_id = $1 AND e.ts >= $2 AND e.ts < $3 AND e.level IN ('error', 'warn')
GROUP BY e.source, e.level
