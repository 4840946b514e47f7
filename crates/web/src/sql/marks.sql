-- Events of a host within a range: starts and ends of its agent, its last boot.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: at timestamptz, kind text (started, stopped, vanished, booted). Rows: at most 200, oldest first.
-- Indexes: agent_runs_started; ends are looked for among the runs that began before the range's end.
SELECT at, kind FROM (
    SELECT started_at AS at, 'started' AS kind FROM collector.agent_runs
    WHERE host_id = $1 AND started_at >= $2 AND started_at < $3
    UNION ALL
    SELECT ended_at, CASE outcome WHEN 'vanished' THEN 'vanished' ELSE 'stopped' END
    FROM collector.agent_runs
    WHERE host_id = $1 AND started_at < $3 AND ended_at >= $2 AND ended_at < $3
      AND outcome IN ('stopped', 'vanished')
    UNION ALL
    SELECT boot_ts, 'booted' FROM collector.hosts WHERE host_id = $1 AND boot_ts >= $2 AND boot_ts < $3
) happened
ORDER BY at, kind
LIMIT 200
