-- The confirmed alert or insight of a host that was opened first after an instant.
-- Parameters: $1 host_id int4, $2 the instant (timestamptz).
-- Columns: {alert}. Rows: one at most.
SELECT {alert}
FROM collector.findings
WHERE host_id = $1 AND confirmed_at IS NOT NULL AND kind IN ('alert', 'insight') AND opened_at > $2
ORDER BY opened_at, finding_id
LIMIT 1
