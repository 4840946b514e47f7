-- The settings a host's agent runs with.
-- Parameters: $1 host_id int4, $2 latest start (timestamptz).
-- Columns: key text, value text, source text. Rows: one per setting, by key. Index: agent_runs_started.
SELECT s.key, s.value ->> 0 AS value, s.value ->> 1 AS source
FROM (SELECT settings FROM collector.agent_runs
      WHERE host_id = $1 AND started_at <= $2
      ORDER BY started_at DESC LIMIT 1) r
CROSS JOIN LATERAL jsonb_each(r.settings) s
ORDER BY s.key
