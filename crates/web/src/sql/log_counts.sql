-- Lines of logs within a range by source and level.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 and $5 bounds of the hours whose sums count (timestamptz;
-- both equal to $3 when there are none): the whole ones of the range, and where lines are gone those that it touches.
-- Columns: source, level text, lines int8. Rows: sources times levels.
-- Index: log_metrics_hourly_pkey for whole hours, log_entries_ts for what is left at both ends.
SELECT source, level, sum(lines)::int8 AS lines
FROM (
    SELECT source, level, count AS lines FROM collector.log_metrics_hourly
    WHERE host_id = $1 AND bucket >= $4 AND bucket < $5
    UNION ALL
    SELECT source, level, count(*) FROM collector.log_entries
    WHERE host_id = $1 AND ts >= $2 AND ts < $4
    GROUP BY source, level
    UNION ALL
    SELECT source, level, count(*) FROM collector.log_entries
    WHERE host_id = $1 AND ts >= $5 AND ts < $3
    GROUP BY source, level
) parts
GROUP BY source, level
