-- What was changed on a host within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: id text, ts_ms timestamptz, kind, subject, action, before, after, source text.
-- Rows: the newest 1000. Index: change_markers_ts.
SELECT concat_ws('.', (extract(epoch FROM ts) * 1000000)::int8, kind, subject, action,
                 row_number() OVER (PARTITION BY ts, kind, subject, action ORDER BY source, before, after)) AS id,
       ts AS ts_ms, kind, subject, action, before, after, source
FROM collector.change_markers
WHERE host_id = $1 AND ts >= $2 AND ts < $3
ORDER BY ts DESC, kind, subject, action
LIMIT 1000
