-- Notable sessions at the newest tick of each server, to name the culprit of a problem.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: instance text, pid int4, database, role, application, state text, query text (on one line),
-- query_secs, xact_secs float8, blocked_by int4, victims int8. Rows: at most 200 per server.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
)
SELECT s.instance, s.pid, s.database, s.role, s.application, s.state,
       left(regexp_replace(s.query, '\s+', ' ', 'g'), 400) AS query, s.query_secs, s.xact_secs, s.blocked_by, s.victims
FROM newest
JOIN collector.session_samples_raw s ON s.instance = newest.instance AND s.ts = newest.ts
WHERE s.host_id = $1 AND s.ts >= $2 AND s.ts < $3
