-- Sources of logs: whether each can be read, and its lines within the last hour.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz): an hour, to the end of the newest sample.
-- Columns: id and source (name), kind, place, parser, status, error text, last_line_ms timestamptz,
-- error_lines, warn_lines, info_lines, debug_lines, lines, unread_lines, bytes, overflowed int8, error_warn_pct, unread_pct float8,
-- tag_state (blocked, unreadable, misread, silent, ok), severities. A source most of
-- whose lines do not fit the parser has an open finding; its rule defines "most".
-- Rows: one per source that was sampled with the newest ones. Index: log_sources_raw_ts.
WITH sample AS (
    SELECT source, ts, kind, place, parser, status, error, last_line,
           {step error_lines} AS error_lines,
           {step warn_lines} AS warn_lines,
           {step info_lines} AS info_lines,
           {step debug_lines} AS debug_lines,
           {step bytes} AS bytes,
           {step overflowed} AS overflowed,
           {step unread_lines} AS unread_lines,
           row_number() OVER (PARTITION BY source ORDER BY ts DESC) AS back,
           max(ts) OVER () AS newest
    FROM collector.log_sources_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    WINDOW w AS (PARTITION BY source ORDER BY ts)
), counted AS (
    SELECT source,
           coalesce(sum(error_lines), 0)::int8 AS error_lines,
           coalesce(sum(warn_lines), 0)::int8 AS warn_lines,
           coalesce(sum(info_lines), 0)::int8 AS info_lines,
           coalesce(sum(debug_lines), 0)::int8 AS debug_lines,
           coalesce(sum(bytes), 0)::int8 AS bytes,
           coalesce(sum(overflowed), 0)::int8 AS overflowed,
           -- Not counted is not none.
           sum(unread_lines)::int8 AS unread_lines
    FROM sample GROUP BY source
), whole AS (
    SELECT *, error_lines + warn_lines + info_lines + debug_lines AS lines FROM counted
)
SELECT n.source AS id, n.source, n.kind, n.place, n.parser, n.status, n.error, n.last_line AS last_line_ms,
       w.error_lines, w.warn_lines, w.info_lines, w.debug_lines, w.lines, w.bytes, w.overflowed,
       100.0::float8 * (w.error_lines + w.warn_lines) / nullif(w.lines, 0) AS error_warn_pct,
       w.unread_lines, 100.0::float8 * w.unread_lines / nullif(w.lines, 0) AS unread_pct, f.severity AS sev_unread_pct,
       CASE n.status WHEN 'ok' THEN 'ok' ELSE 'warn' END AS sev_status,
       s.state AS tag_state,
       CASE s.state WHEN 'silent' THEN 'info' END AS sev_last_line_ms
FROM sample n
JOIN whole w USING (source)
LEFT JOIN collector.findings f ON f.host_id = $1 AND f.rule = 'log_not_understood' AND f.target = n.source AND f.resolved_at IS NULL AND f.confirmed_at IS NOT NULL
CROSS JOIN LATERAL (SELECT CASE WHEN n.status = 'blocked' THEN 'blocked'
                                WHEN n.status NOT IN ('ok', 'limited') THEN 'unreadable'
                                WHEN f.severity IS NOT NULL THEN 'misread'
                                WHEN n.last_line IS NULL OR n.last_line < $2 THEN 'silent'
                                ELSE 'ok' END AS state) s
WHERE n.back = 1 AND n.ts >= n.newest - interval '2 minutes'
ORDER BY n.source
