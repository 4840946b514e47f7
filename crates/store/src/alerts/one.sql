-- One confirmed finding of a host.
-- Parameters: $1 host_id int4, $2 finding_id int8.
-- Columns: {alert}. Rows: one at most. Index: the primary key.
SELECT {alert}
FROM collector.findings
WHERE host_id = $1 AND finding_id = $2 AND confirmed_at IS NOT NULL
