-- What did each health check of the host $1 (int4) find last, after $2 and no later than $3 (timestamptz)?
-- Columns: ts, and those of health_checks_raw. Rows: one per check. Indexes: (host_id, ts) of each partition.
SELECT DISTINCT ON (h.check_name) h.ts, h.check_name, h.kind, h.target, h.state, h.answer_ms, h.attempts, h.status, h.expires_at, h.expires_days, h.error
FROM collector.health_checks_raw h
WHERE h.host_id = $1 AND h.ts > $2 AND h.ts <= $3
ORDER BY h.check_name, h.ts DESC
