-- Wait trees at the newest tick of each server: every root with its waiters below, in order.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table blocking, id, sev_pid. Rows: one per session that blocks or is blocked; sessions of a
-- cycle (a deadlock not detected yet), which has no root, come last.
-- Indexes: (host_id, ts) of each partition.
WITH RECURSIVE newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
), involved AS (
    SELECT s.*, row_number() OVER (PARTITION BY s.instance, s.pid ORDER BY s.xact_secs DESC, s.query) AS nth
    FROM newest
    JOIN collector.session_samples_raw s ON s.instance = newest.instance AND s.ts = newest.ts
    WHERE s.host_id = $1 AND s.ts >= $2 AND s.ts < $3
      AND (s.victims > 0 OR s.blocked_by IS NOT NULL)
), tree AS (
    SELECT instance, pid, nth, ARRAY[pid] AS path
    FROM involved i
    WHERE NOT EXISTS (SELECT 1 FROM involved b WHERE b.instance = i.instance AND b.pid = i.blocked_by)
    UNION ALL
    SELECT i.instance, i.pid, i.nth, tree.path || i.pid
    FROM tree
    JOIN involved i ON i.instance = tree.instance AND i.blocked_by = tree.pid
    WHERE i.pid <> ALL (tree.path) AND tree.nth = 1
)
SELECT i.instance || '.' || i.pid || CASE WHEN i.nth > 1 THEN '.' || i.nth ELSE '' END AS id,
       row_number() OVER (ORDER BY i.instance, tree.path IS NULL, tree.path, i.nth) AS position,
       coalesce(cardinality(tree.path) - 1, 0)::int8 AS depth,
       i.pid::text AS pid, i.query, i.state, i.query_secs, i.wait, i.blocked_by::text AS blocked_by,
       i.root_pid::text AS root_pid, i.victims,
       CASE WHEN i.blocked_by IS NULL AND i.pid > 0 THEN format('SELECT pg_terminate_backend(%s);', i.pid) END AS command, i.role, i.application, i.database, i.instance,
       CASE WHEN i.blocked_by IS NULL THEN 'warn' END AS sev_pid
FROM involved i
LEFT JOIN tree ON tree.instance = i.instance AND tree.pid = i.pid AND tree.nth = i.nth
