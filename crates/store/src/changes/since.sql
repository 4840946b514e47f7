-- Changes of a host since an instant.
-- Parameters: $1 host_id int4, $2 since timestamptz, $3 how many (int8).
-- Columns: ts timestamptz, kind, subject, action, before, after, source text. Rows: the newest first. Index: change_markers_ts.
SELECT ts, kind, subject, action, before, after, source
FROM collector.change_markers
WHERE host_id = $1 AND ts >= $2
ORDER BY ts DESC, kind, subject
LIMIT $3
