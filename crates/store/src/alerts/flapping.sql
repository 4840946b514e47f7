-- What began or returned three times or more within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 kinds (text[]), $5 domains of log lines (text[]).
-- Columns: {alert} of the newest finding, and times int8. Rows: at most 50, the most frequent first.
-- A beginning is a finding that was opened. A return is counted by its occurrences while it is open; of log lines these
-- count events, so there only beginnings count.
-- Indexes: findings_open, findings_resolved, findings_key, finding_transitions_ts.
WITH begun AS (
    SELECT rule, target, count(*) AS times
    FROM collector.findings
    WHERE host_id = $1 AND opened_at >= $2 AND opened_at < $3 AND confirmed_at IS NOT NULL AND (resolved_at IS NULL OR resolved_at >= $2)
    GROUP BY rule, target
), returned AS (
    SELECT rule, target, sum(times) AS times
    FROM (SELECT rule, target, max(occurrences) - min(occurrences) AS times
          FROM collector.finding_transitions_raw
          WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND domain <> ALL ($5)
          GROUP BY rule, target, opened_at
          HAVING max(confirmed_at) IS NOT NULL) of_life
    GROUP BY rule, target
), counted AS (
    SELECT rule, target, (coalesce(b.times, 0) + coalesce(r.times, 0))::int8 AS times
    FROM begun b FULL JOIN returned r USING (rule, target)
), newest AS (
    SELECT f.*, c.times
    FROM counted c
    CROSS JOIN LATERAL (
        SELECT * FROM collector.findings f
        WHERE f.host_id = $1 AND f.rule = c.rule AND f.target = c.target AND f.confirmed_at IS NOT NULL
        ORDER BY f.opened_at DESC
        LIMIT 1
    ) f
    WHERE c.times >= 3 AND f.kind = ANY ($4)
)
SELECT {alert},
       times
FROM newest
ORDER BY times DESC, finding_id
LIMIT 50
