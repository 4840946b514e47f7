-- Stores a run of an agent and closes runs of this host that never ended: the lock is ours, so they
-- are dead, or ended in order while there was no session. Returns the spans in which agents with another spool wrote for this host.
-- $1 host_id int4, $2 run id text, $3 writer text, $4 pid int4, $5 version, $6 started at timestamptz, $7 settings json text,
-- $8 outcome of dead runs,
-- $9 outcome of the run $10 (text), which ended in order at $11 timestamptz; null when it is not known.
-- Rows: from, to timestamptz.
WITH mine AS (
    INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
    VALUES ($1::int4, $2::text::uuid, $3::text::uuid, $4, $5,
            $6, $7::text::jsonb)
    ON CONFLICT (host_id, run_id) DO NOTHING
), dead AS (
    UPDATE collector.agent_runs r
    SET outcome = CASE WHEN r.run_id = $10::text::uuid THEN $9 ELSE $8 END,
        ended_at = coalesce(CASE WHEN r.run_id = $10::text::uuid THEN $11::timestamptz END,
                            (SELECT w.last_ts FROM collector.spool_watermark w
                             WHERE w.host_id = r.host_id AND w.writer = r.writer), r.started_at)
    WHERE r.host_id = $1::int4 AND r.ended_at IS NULL AND r.run_id <> $2::text::uuid
)
SELECT r.started_at, coalesce(r.ended_at, w.last_ts)
FROM collector.agent_runs r
JOIN collector.spool_watermark w ON w.host_id = r.host_id AND w.writer = r.writer
WHERE r.host_id = $1::int4 AND r.writer <> $3::text::uuid
  AND coalesce(r.ended_at, w.last_ts) IS NOT NULL
