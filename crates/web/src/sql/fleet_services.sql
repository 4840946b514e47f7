-- What the collectors of all hosts sample: the newest rows of each part of the host, of services and of logs.
-- Parameters: $1 from when rows count, $2 until when (timestamptz each).
-- Columns: host_id int4, mounts, interfaces, agents, targets, servers, logs, slots timestamptz (the newest instant with a row of that
--   kind), names and kinds text[] (of each target at its newest instant).
-- Rows: one per host. Indexes: spool_watermark_pkey, (host_id, ts) of each partition.
SELECT w.host_id, m.newest AS mounts, i.newest AS interfaces, c.newest AS agents, t.newest AS targets, d.newest AS servers, l.newest AS logs, r.newest AS slots, k.names, k.kinds
FROM (SELECT host_id FROM collector.spool_watermark GROUP BY host_id) w
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.mount_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) m ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.network_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) i ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.collector_self_metrics s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) c ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.target_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) t ON true
LEFT JOIN LATERAL (SELECT array_agg(s.target) AS names, array_agg(s.kind) AS kinds FROM collector.target_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts = t.newest AND s.ts >= $1 AND s.ts < $2) k ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.db_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) d ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.log_sources_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) l ON true
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.replication_metrics_raw s
                   WHERE s.host_id = w.host_id AND s.ts >= $1 AND s.ts < $2) r ON true
