-- All hosts with the state of their agents.
-- Parameters: $1 from when heartbeats count, $2 until when, $3 from when losses count, $4 from
--   when log sources are looked at (timestamptz each).
-- Columns: host_id int4, hostname text, kernel text, cores int4, memory_bytes int8, boot_ts, heartbeat,
--   first_start, started_at, ended_at timestamptz, interval_secs text, app_secs text, history_gen int8, gaps int8, dead_letters int8,
--   clock_ahead_secs float8 and clock_wrong_since timestamptz (null while the clocks agree), blocked_logs int8 (log
--   sources whose lines could not be stored at the newest tick), blocked_cause text, blocked_since timestamptz.
-- Rows: one per host, by name. Indexes: (host_id, ts) of each partition, agent_runs_started,
--   dead_letter_noticed, retention_pkey.
SELECT h.host_id,
       (SELECT min(a.started_at) FROM collector.agent_runs a WHERE a.host_id = h.host_id) AS first_start, h.hostname, h.kernel, h.cores, h.memory_bytes, h.boot_ts,
       (SELECT max(b.ts) FROM collector.heartbeat b
         WHERE b.host_id = h.host_id AND b.component = 'collector' AND b.ts >= $1 AND b.ts < $2) AS heartbeat,
       r.started_at, r.ended_at, r.interval_secs, r.app_secs,
       (SELECT coalesce(sum(w.history_gen), 0)::int8 FROM collector.spool_watermark w
         WHERE w.host_id = h.host_id) AS history_gen,
       (SELECT count(*) FROM collector.data_gaps g
         WHERE g.host_id = h.host_id AND g.ts >= $3 AND g.ts < $2) AS gaps,
       (SELECT count(*) FROM collector.dead_letter d
         WHERE d.host_id = h.host_id AND d.noticed_at >= $3) AS dead_letters,
       c.clock_ahead_secs, c.clock_wrong_since,
       l.blocked_logs, l.blocked_cause, l.blocked_since
FROM collector.hosts h
LEFT JOIN collector.retention c ON c.host_id = h.host_id AND c.clock_wrong_since IS NOT NULL
LEFT JOIN LATERAL (
    SELECT a.started_at, a.ended_at, a.settings -> 'intervals.system_secs' ->> 0 AS interval_secs,
           a.settings -> 'intervals.app_secs' ->> 0 AS app_secs
    FROM collector.agent_runs a
    WHERE a.host_id = h.host_id
    ORDER BY a.started_at DESC
    LIMIT 1
) r ON true
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.status = 'blocked' AND s.ts = s.newest) AS blocked_logs,
           max(s.error) FILTER (WHERE s.status = 'blocked' AND s.ts = s.newest) AS blocked_cause,
           min(s.ts) FILTER (WHERE s.status = 'blocked' AND s.ts > coalesce(s.well, '-infinity')) AS blocked_since
    FROM (SELECT ts, status, error, max(ts) OVER () AS newest, max(ts) FILTER (WHERE status <> 'blocked') OVER (PARTITION BY source) AS well
          FROM collector.log_sources_raw
          WHERE host_id = h.host_id AND ts >= $4 AND ts < $2) s
) l
ORDER BY h.hostname, h.host_id
