-- All hosts with the sampling intervals of the newest run of their collector.
-- Columns: host_id int4, seconds between samples of the host int4, of services int4 (null: not stated).
-- Rows: one per host. Indexes: agent_runs_started.
SELECT h.host_id, r.system_secs, coalesce(r.app_secs, r.system_secs)
FROM collector.hosts h
LEFT JOIN LATERAL (
    SELECT (a.settings -> 'intervals.system_secs' ->> 0)::int4 AS system_secs,
           (a.settings -> 'intervals.app_secs' ->> 0)::int4 AS app_secs
    FROM collector.agent_runs a
    WHERE a.host_id = h.host_id
    ORDER BY a.started_at DESC
    LIMIT 1
) r ON true
ORDER BY h.host_id
