-- Heartbeats of a host by component and bucket of a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 width of a bucket in seconds (float8).
-- Columns: every_secs float8 (the configured interval, NULL where the newest run does not report it), component text,
-- bucket int4 (0: the one that begins at $2), heartbeats int8. Rows: one per component and bucket with a heartbeat, at most
-- 5000; a single one without component where there are none.
-- Indexes: (host_id, ts) of each partition, agent_runs_started.
SELECT s.every_secs, h.component, h.bucket, h.heartbeats
FROM (SELECT (SELECT CASE WHEN a.settings -> 'intervals.heartbeat_secs' ->> 0 ~ '^[0-9]{1,5}$'
                          THEN (a.settings -> 'intervals.heartbeat_secs' ->> 0)::float8 END
              FROM collector.agent_runs a WHERE a.host_id = $1 ORDER BY a.started_at DESC LIMIT 1) AS every_secs) s
LEFT JOIN (SELECT component, floor(extract(epoch FROM ts - $2) / $4)::int4 AS bucket, count(*) AS heartbeats
           FROM collector.heartbeat
           WHERE host_id = $1 AND ts >= $2 AND ts < $3
           GROUP BY component, bucket
           ORDER BY component, bucket
           LIMIT 5000) h ON true
