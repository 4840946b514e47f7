-- Errors and warnings of logs within a range, by pattern.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 how many patterns (int8).
-- Columns: first, last timestamptz, times int8, level, source, fingerprint text, message text (of the first), patterns int8 (of all).
-- Rows: errors first, then the most frequent. Index: log_entries_grave_ts. A storm is cut after 20 000 lines.
WITH lines AS (
    SELECT ts, level, source, fingerprint, message
    FROM collector.log_entries
    WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND level IN ('error', 'warn')
    ORDER BY ts
    LIMIT 20000
)
SELECT min(ts) AS first, max(ts) AS last, count(*) AS times, level, source, fingerprint,
       (array_agg(left(message, 400) ORDER BY ts))[1] AS message, count(*) OVER () AS patterns
FROM lines
GROUP BY level, source, fingerprint
ORDER BY level, times DESC, first
LIMIT $4
