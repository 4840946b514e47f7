-- Errors and warnings of a range, with the pattern that most of them have.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: log_entries_grave_ts.
SELECT source, level, count(*) AS lines, mode() WITHIN GROUP (ORDER BY fingerprint) AS pattern
FROM collector.log_entries
WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND level IN ('error', 'warn')
GROUP BY source, level
