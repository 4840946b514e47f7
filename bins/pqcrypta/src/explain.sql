-- Hosts with what reading their samples needs. A host has a watermark since its collector first connected.
-- Columns: host_id int4, hostname text, interval_secs, app_secs text (settings of the newest run), raw_from, hours_from timestamptz
-- (the first samples and hours that are kept; NULL: all), newest timestamptz (as the queue's progress has it).
-- Rows: one per host, by name. Index: agent_runs_started.
SELECT h.host_id, h.hostname, r.interval_secs, r.app_secs, k.raw_from, k.hours_from, w.newest
FROM (SELECT host_id, max(last_ts) AS newest FROM collector.spool_watermark GROUP BY host_id) w
CROSS JOIN (SELECT max(first_day) FILTER (WHERE keep = 'raw')::timestamp AT TIME ZONE 'UTC' AS raw_from,
                   max(first_day) FILTER (WHERE keep = 'hourly')::timestamp AT TIME ZONE 'UTC' AS hours_from
            FROM collector.kept WHERE days IS NOT NULL) k
LEFT JOIN LATERAL (
    SELECT a.settings -> 'intervals.system_secs' ->> 0 AS interval_secs, a.settings -> 'intervals.app_secs' ->> 0 AS app_secs
    FROM collector.agent_runs a
    WHERE a.host_id = w.host_id
    ORDER BY a.started_at DESC
    LIMIT 1
) r ON true
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE h.removed_at IS NULL
ORDER BY h.hostname, h.host_id
