-- Errors and warnings of a range, with the pattern that most of them have.
-- $1 host int4, $2 from, $3 to (timestamptz). Indexes: log_entries_grave_ts, log_patterns_pkey.
WITH kind AS (
    SELECT e.source, e.level, coalesce(p.alias_of, e.fingerprint) AS pattern, count(*) AS lines,
           min(e.ts) AS first, max(e.ts) AS last
    FROM collector.log_entries e
    LEFT JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = e.fingerprint
    WHERE e.host_id = $1 AND e.ts >= $2 AND e.ts < $3 AND e.level IN ('error', 'warn')
    GROUP BY 1, 2, 3
)
SELECT source, level, sum(lines)::int8 AS lines, min(first) AS first, max(last) AS last,
       (array_agg(pattern ORDER BY lines DESC, pattern))[1] AS pattern
FROM kind GROUP BY source, level
