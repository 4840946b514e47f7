-- The part of an hour's errors and warnings that its fullest five minutes have, over all hours of a range.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: log_sources_raw_ts.
-- Counters are looked at where they stand last in each five minutes; one that is less than before began
-- anew. Sources without such lines have no row.
WITH stand AS (
    SELECT DISTINCT ON (source, five) source, five, error_lines, warn_lines
    FROM (SELECT source, ts, error_lines, warn_lines, date_bin('5 minutes', ts, timestamptz 'epoch') AS five
          FROM collector.log_sources_raw
          WHERE host_id = $1 AND ts >= $2 AND ts < $3
            AND extract(epoch FROM ts)::int8 % 300 >= 240) late
    ORDER BY source, five, ts DESC
), step AS (
    SELECT s.source, s.five, l.level,
           {step_from_zero l.now} AS lines
    FROM stand s CROSS JOIN LATERAL (VALUES ('error', error_lines), ('warn', warn_lines)) AS l(level, now)
    WINDOW w AS (PARTITION BY s.source, l.level ORDER BY s.five)
), hour AS (
    SELECT source, level, date_trunc('hour', five, 'UTC') AS hour, max(lines) AS most, sum(lines) AS lines
    FROM step GROUP BY 1, 2, 3
)
SELECT source, level, (sum(most) / sum(lines))::float8 AS burst
FROM hour GROUP BY 1, 2 HAVING sum(lines) > 0
