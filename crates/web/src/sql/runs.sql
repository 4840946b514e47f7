-- Starts of a host's agent.
-- Parameters: $1 host_id int4, $2 latest start (timestamptz).
-- Columns: run_id text, started_at, ended_at timestamptz, outcome text, version text, pid int4.
-- Rows: at most 500, newest first. Index: agent_runs_started.
SELECT run_id::text, started_at, ended_at, outcome, version, pid
FROM collector.agent_runs
WHERE host_id = $1 AND started_at <= $2
ORDER BY started_at DESC, run_id
LIMIT 500
