-- One row per host, by name: what was stored last and what its agent does. A host has a watermark since its collector first connected.
-- Columns: host_id, hostname, seconds since the newest sample and the newest sign of life by the host's clock (negative: it is
-- ahead), seconds since something was stored last, pid, version and end of the newest run, losses noticed in the last day, rows set aside in the last day, log sources whose
-- lines could not be stored at the newest tick, and by how many seconds the host's clock is ahead of the server's
-- (null while they agree).
SELECT h.host_id, h.hostname,
       extract(epoch FROM now() - w.newest)::float8 AS sample_age_secs,
       extract(epoch FROM now() - b.newest)::float8 AS heartbeat_age_secs,
       extract(epoch FROM now() - w.stored)::float8 AS stored_age_secs,
       r.pid, r.version, r.outcome, g.gaps, d.dead_letters, l.blocked_logs, c.clock_ahead_secs
FROM (SELECT host_id, max(last_ts) AS newest, max(updated_at) AS stored FROM collector.spool_watermark GROUP BY host_id) w
LEFT JOIN LATERAL (SELECT max(s.ts) AS newest FROM collector.heartbeat s
                   WHERE s.host_id = w.host_id AND s.ts > now() - interval '1 day') b ON true
LEFT JOIN LATERAL (SELECT a.pid, a.version, a.outcome FROM collector.agent_runs a
                   WHERE a.host_id = w.host_id ORDER BY a.started_at DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (SELECT count(*)::int8 AS gaps FROM collector.data_gaps s
                   WHERE s.host_id = w.host_id AND s.ts > now() - interval '1 day') g ON true
LEFT JOIN LATERAL (SELECT count(*)::int8 AS dead_letters FROM collector.dead_letter s
                   WHERE s.host_id = w.host_id AND s.noticed_at > now() - interval '1 day') d ON true
LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE s.status = 'blocked' AND s.ts = s.newest)::int8 AS blocked_logs
                   FROM (SELECT ts, status, max(ts) OVER () AS newest FROM collector.log_sources_raw
                         WHERE host_id = w.host_id AND ts > now() - interval '5 minutes'
                           AND ts < now() + interval '1 day') s) l ON true
LEFT JOIN collector.retention c ON c.host_id = w.host_id AND c.clock_wrong_since IS NOT NULL
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE h.removed_at IS NULL
ORDER BY h.hostname, h.host_id
