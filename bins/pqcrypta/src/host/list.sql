-- The hosts of the store, by name; those that were removed last.
-- Columns: host_id int4, hostname, machine_id text, is_renamed, is_removed bool, seconds since the last sign of life by the clock of the
-- store float8 (NULL: none yet), version of the newest run text (NULL: none).
SELECT h.host_id, h.hostname, h.machine_id, h.is_renamed, h.removed_at IS NOT NULL AS is_removed,
       extract(epoch FROM clock_timestamp() - (SELECT max(greatest(w.updated_at, w.lease_until - interval '30 seconds'))
                                               FROM collector.spool_watermark w WHERE w.host_id = h.host_id))::float8 AS silent_secs,
       r.version
FROM collector.hosts h
LEFT JOIN LATERAL (SELECT version FROM collector.agent_runs WHERE host_id = h.host_id ORDER BY started_at DESC LIMIT 1) r ON true
ORDER BY is_removed, h.hostname, h.host_id
