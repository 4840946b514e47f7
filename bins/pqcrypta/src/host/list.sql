-- The hosts of the store, by name; those that were removed last. A host is one whose collector has connected once: then it has a watermark.
-- Columns: host_id int4, hostname, machine_id text, is_renamed, is_removed bool, seconds since the last sign of life by the clock of the
-- store float8 (NULL: none yet), whether its collector delivers bool: it has a lease, which it gives back when it ends in order and which
-- runs out 30 s after it died or was shut out; version of the newest run text (NULL: none).
SELECT h.host_id, h.hostname, h.machine_id, h.is_renamed, h.removed_at IS NOT NULL AS is_removed,
       extract(epoch FROM clock_timestamp() - w.seen)::float8 AS silent_secs, w.is_present, r.version
FROM (SELECT host_id, max(greatest(updated_at, lease_until - interval '30 seconds')) AS seen,
             -- A collector that knows no leases has no run of one.
             bool_or(coalesce(lease_until > clock_timestamp(),
                              lease_run IS NULL AND updated_at > clock_timestamp() - interval '30 seconds')) AS is_present
      FROM collector.spool_watermark GROUP BY host_id) w
LEFT JOIN LATERAL (SELECT a.version FROM collector.agent_runs a
                   WHERE a.host_id = w.host_id ORDER BY a.started_at DESC LIMIT 1) r ON true
JOIN collector.hosts h ON h.host_id = w.host_id
ORDER BY is_removed, h.hostname, h.host_id
