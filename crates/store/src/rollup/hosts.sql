-- The sampling intervals of each host, of the newest run of its collector.
-- Columns: host_id int4, seconds between samples of the host int4, of services int4 (null: not stated).
-- Rows: one per host whose collector ever ran. Indexes: agent_runs_started.
SELECT DISTINCT ON (a.host_id) a.host_id, s.system_secs, coalesce((a.settings -> 'intervals.app_secs' ->> 0)::int4, s.system_secs)
FROM collector.agent_runs a
CROSS JOIN LATERAL (SELECT (a.settings -> 'intervals.system_secs' ->> 0)::int4 AS system_secs) s
ORDER BY a.host_id, a.started_at DESC
