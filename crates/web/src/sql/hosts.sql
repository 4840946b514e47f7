-- All hosts that were not removed, with the state of their agents. A host is one whose collector has connected once: then it has a watermark.
-- Parameters: $1 from when heartbeats count, $2 until when (timestamptz each).
-- Columns: host_id int4, hostname text, kernel text, cores int4, memory_bytes int8, boot_ts, heartbeat, first_start, started_at,
--   ended_at timestamptz, version text, interval_secs text, app_secs text, history_gen int8, raw_from and hours_from timestamptz
--   (the first samples and hours that are kept; null: all).
-- Rows: one per host, by name. Indexes: spool_watermark_pkey, (host_id, ts) of each partition, agent_runs_started.
SELECT h.host_id, h.hostname, h.kernel, h.cores, h.memory_bytes, h.boot_ts, w.history_gen,
       b.heartbeat, f.first_start, r.started_at, r.ended_at, r.version, r.interval_secs, r.app_secs, k.raw_from, k.hours_from
FROM (SELECT host_id, sum(history_gen)::int8 AS history_gen FROM collector.spool_watermark GROUP BY host_id) w
LEFT JOIN LATERAL (
    SELECT max(s.ts) AS heartbeat FROM collector.heartbeat s
    WHERE s.host_id = w.host_id AND s.component = 'collector' AND s.ts >= $1 AND s.ts < $2
) b ON true
LEFT JOIN LATERAL (
    SELECT min(a.started_at) AS first_start FROM collector.agent_runs a WHERE a.host_id = w.host_id
) f ON true
LEFT JOIN LATERAL (
    SELECT a.started_at, a.ended_at, a.version, a.settings -> 'intervals.system_secs' ->> 0 AS interval_secs,
           a.settings -> 'intervals.app_secs' ->> 0 AS app_secs
    FROM collector.agent_runs a
    WHERE a.host_id = w.host_id
    ORDER BY a.started_at DESC
    LIMIT 1
) r ON true
CROSS JOIN (SELECT max(first_day) FILTER (WHERE keep = 'raw')::timestamp AT TIME ZONE 'UTC' AS raw_from,
                   max(first_day) FILTER (WHERE keep = 'hourly')::timestamp AT TIME ZONE 'UTC' AS hours_from
            FROM collector.kept WHERE days IS NOT NULL) k
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE h.removed_at IS NULL
ORDER BY h.hostname, h.host_id
