-- Notable sessions at the newest tick of each server. A server without such a session has no
-- row, so the newest tick is that of the server's own row.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table sessions, id, tag_why text[]. Rows: one per session.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
)
SELECT s.instance || '.' || s.pid || CASE WHEN s.pid = 0 THEN '.' || row_number()
           OVER (PARTITION BY s.instance, s.pid ORDER BY s.xact_secs DESC, s.query) ELSE '' END AS id,
       s.pid::text AS pid, s.state,
       CASE WHEN s.state = 'active' THEN s.query_secs END AS query_secs,
       CASE WHEN s.state LIKE 'idle in transaction%' THEN s.query_secs END AS idle_secs,
       s.query, s.wait, s.database, s.role, s.application, s.xact_secs,
       s.blocked_by::text AS blocked_by, s.victims, s.instance,
       CASE WHEN s.pid > 0 AND s.state LIKE 'idle in transaction%' THEN format('SELECT pg_terminate_backend(%s);', s.pid)
            WHEN s.pid > 0 AND s.state = 'active' THEN format('SELECT pg_cancel_backend(%s);', s.pid) END AS command,
       array_remove(ARRAY[
           CASE WHEN s.state = 'active' AND s.query_secs > 5 THEN 'long' END,
           CASE WHEN s.state LIKE 'idle in transaction%' THEN 'idle_in_xact' END,
           CASE WHEN s.blocked_by IS NOT NULL THEN 'blocked' END,
           CASE WHEN s.victims > 0 THEN 'blocking' END], NULL) AS tag_why
FROM newest
JOIN collector.session_samples_raw s ON s.instance = newest.instance AND s.ts = newest.ts
WHERE s.host_id = $1 AND s.ts >= $2 AND s.ts < $3
