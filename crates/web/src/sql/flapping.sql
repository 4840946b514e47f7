-- What began or returned three times or more within an hour.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 kinds (text[]).
-- Columns: id text (of the newest finding), title, severity text, times int8. Rows: at most 50, the most frequent first.
-- A beginning is a finding that was opened. A return is counted by its occurrences while it is open; of logs these count
-- events, so there only beginnings count.
-- Indexes: findings_pkey, findings_key, finding_transitions_ts.
WITH begun AS (
    SELECT rule, target, count(*) AS times
    FROM collector.findings
    WHERE host_id = $1 AND opened_at >= $2 AND opened_at < $3 AND confirmed_at IS NOT NULL
    GROUP BY rule, target
), returned AS (
    SELECT rule, target, sum(times) AS times
    FROM (SELECT rule, target, max(occurrences) - min(occurrences) AS times
          FROM collector.finding_transitions_raw
          WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND domain NOT IN ('logs', 'security')
          GROUP BY rule, target, opened_at
          HAVING max(confirmed_at) IS NOT NULL) of_life
    GROUP BY rule, target
), counted AS (
    SELECT rule, target, (coalesce(b.times, 0) + coalesce(r.times, 0))::int8 AS times
    FROM begun b FULL JOIN returned r USING (rule, target)
)
SELECT f.finding_id::text AS id, left(CASE WHEN f.domain IN ('logs', 'security') OR f.message = '' THEN f.title ELSE f.message END, 400) AS title,
       f.worst AS severity, c.times
FROM counted c
CROSS JOIN LATERAL (
    SELECT * FROM collector.findings f
    WHERE f.host_id = $1 AND f.rule = c.rule AND f.target = c.target AND f.confirmed_at IS NOT NULL
    ORDER BY f.opened_at DESC
    LIMIT 1
) f
WHERE c.times >= 3 AND f.kind = ANY ($4)
ORDER BY c.times DESC, f.finding_id
LIMIT 50
