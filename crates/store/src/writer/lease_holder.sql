-- Who has a lease, in words.
-- $1 host_id int4, $2 run text.
-- Rows: one: host name of whoever had a lease last text; process int4, version and start text, NULL where the run is not known.
SELECT h.hostname, r.pid, r.version, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM collector.spool_watermark w
LEFT JOIN collector.agent_runs r ON r.host_id = w.host_id AND r.run_id = $2::text::uuid
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE w.host_id = $1
LIMIT 1
