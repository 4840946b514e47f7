-- One row per host, by name: what was stored last and what its agent does.
-- Columns: host_id, hostname, seconds since the newest sample and the newest sign of life, pid, version and
-- end of the newest run, losses noticed in the last day, rows set aside in the last day, log sources whose
-- lines could not be stored at the newest tick, and by how many seconds the host's clock is ahead of the server's
-- (null while they agree).
SELECT h.host_id, h.hostname,
       extract(epoch FROM now() - (SELECT max(w.last_ts) FROM collector.spool_watermark w
                                   WHERE w.host_id = h.host_id))::float8 AS sample_age_secs,
       extract(epoch FROM now() - (SELECT max(b.ts) FROM collector.heartbeat b
                                   WHERE b.host_id = h.host_id AND b.ts > now() - interval '1 day'))::float8
           AS heartbeat_age_secs,
       r.pid, r.version, r.outcome,
       (SELECT count(*) FROM collector.data_gaps g
        WHERE g.host_id = h.host_id AND g.ts > now() - interval '1 day')::int8 AS gaps,
       (SELECT count(*) FROM collector.dead_letter d
        WHERE d.host_id = h.host_id AND d.noticed_at > now() - interval '1 day')::int8 AS dead_letters,
       (SELECT count(*) FILTER (WHERE s.status = 'blocked' AND s.ts = s.newest)
        FROM (SELECT ts, status, max(ts) OVER () AS newest FROM collector.log_sources_raw
              WHERE host_id = h.host_id AND ts > now() - interval '5 minutes'
                AND ts < now() + interval '1 day') s)::int8 AS blocked_logs,
       c.clock_ahead_secs
FROM collector.hosts h
LEFT JOIN collector.retention c ON c.host_id = h.host_id AND c.clock_wrong_since IS NOT NULL
LEFT JOIN LATERAL (SELECT pid, version, outcome FROM collector.agent_runs
                   WHERE host_id = h.host_id ORDER BY started_at DESC LIMIT 1) r ON true
WHERE h.removed_at IS NULL
ORDER BY h.hostname, h.host_id
