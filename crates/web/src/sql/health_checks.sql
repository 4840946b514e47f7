-- The newest result of every health check of the last hour, and since when its state is what it is.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; an hour).
-- Columns: those of table health_checks, id (the metrics' key), sev_state and sev_error text. Rows: one per check.
-- Indexes: (host_id, ts) of each partition; a week of results is read, 2,000 rows of each check.
WITH week AS MATERIALIZED (
    SELECT h.check_name, h.ts, lag(h.state) OVER (PARTITION BY h.check_name ORDER BY h.ts) IS DISTINCT FROM h.state AS began
    FROM collector.health_checks_raw h
    WHERE h.host_id = $1 AND h.ts >= $3::timestamptz - interval '7 days' AND h.ts < $3
), since AS (
    -- The first result of the week began its state only if nothing is older.
    SELECT w.check_name, max(w.ts) FILTER (WHERE w.began) AS ts, min(w.ts) AS oldest FROM week w GROUP BY w.check_name
), newest AS (
    SELECT DISTINCT ON (h.check_name) h.* FROM collector.health_checks_raw h
    WHERE h.host_id = $1 AND h.ts >= $2 AND h.ts < $3
    ORDER BY h.check_name, h.ts DESC
)
SELECT n.check_name AS id, n.check_name, n.kind, n.target, n.state,
       CASE WHEN s.ts > s.oldest OR s.oldest > $3::timestamptz - interval '7 days' + interval '15 minutes' THEN s.ts END AS since_ms,
       n.answer_ms, n.attempts, n.status::text AS status, n.expires_at AS expires_ms, n.error, n.ts AS seen_ms,
       CASE n.state WHEN 'down' THEN 'critical' WHEN 'slow' THEN 'warn' WHEN 'unknown' THEN 'unknown' ELSE 'ok' END AS sev_state,
       CASE WHEN n.error IS NOT NULL AND n.state IN ('up', 'slow') THEN 'info' END AS sev_error
FROM newest n JOIN since s USING (check_name)
ORDER BY n.check_name
