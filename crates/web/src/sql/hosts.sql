-- All hosts that were not removed, with the state of their agents.
-- Parameters: $1 from when heartbeats count, $2 until when (timestamptz each).
-- Columns: host_id int4, hostname text, kernel text, cores int4, memory_bytes int8, boot_ts, heartbeat, first_start, started_at,
--   ended_at timestamptz, interval_secs text, app_secs text, history_gen int8, raw_from and hours_from timestamptz (the first
--   samples and hours that are kept; null: all).
-- Rows: one per host, by name. Indexes: (host_id, ts) of each partition, agent_runs_started.
SELECT h.host_id,
       (SELECT min(a.started_at) FROM collector.agent_runs a WHERE a.host_id = h.host_id) AS first_start, h.hostname, h.kernel, h.cores, h.memory_bytes, h.boot_ts,
       (SELECT max(b.ts) FROM collector.heartbeat b
         WHERE b.host_id = h.host_id AND b.component = 'collector' AND b.ts >= $1 AND b.ts < $2) AS heartbeat,
       r.started_at, r.ended_at, r.interval_secs, r.app_secs,
       (SELECT coalesce(sum(w.history_gen), 0)::int8 FROM collector.spool_watermark w
         WHERE w.host_id = h.host_id) AS history_gen,
       k.raw_from, k.hours_from
FROM collector.hosts h
CROSS JOIN (SELECT max(first_day) FILTER (WHERE keep = 'raw')::timestamp AT TIME ZONE 'UTC' AS raw_from,
                   max(first_day) FILTER (WHERE keep = 'hourly')::timestamp AT TIME ZONE 'UTC' AS hours_from
            FROM collector.kept WHERE days IS NOT NULL) k
LEFT JOIN LATERAL (
    SELECT a.started_at, a.ended_at, a.settings -> 'intervals.system_secs' ->> 0 AS interval_secs,
           a.settings -> 'intervals.app_secs' ->> 0 AS app_secs
    FROM collector.agent_runs a
    WHERE a.host_id = h.host_id
    ORDER BY a.started_at DESC
    LIMIT 1
) r ON true
WHERE h.removed_at IS NULL
ORDER BY h.hostname, h.host_id
