-- How the sources of logs were understood in a range: those of which some lines fit no head of their parser.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: log_sources_raw_ts.
WITH step AS (
    SELECT source, ts, parser, configured_parser, {step unread_lines} AS unread,
           {step debug_lines + info_lines + warn_lines + error_lines} AS lines
    FROM collector.log_sources_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    WINDOW w AS (PARTITION BY source ORDER BY ts)
)
SELECT source, (array_agg(parser ORDER BY ts DESC))[1] AS parser, (array_agg(configured_parser ORDER BY ts DESC))[1] AS configured,
       sum(lines)::int8 AS lines, sum(unread)::int8 AS unread,
       min(ts) FILTER (WHERE unread > 0) AS first, max(ts) FILTER (WHERE unread > 0) AS last,
       max(ts) FILTER (WHERE lines > unread) AS read
FROM step WHERE lines > 0 AND unread >= 0
GROUP BY source HAVING sum(unread) > 0
