-- One confirmed finding of a host, with the figures of what was unusual.
-- Parameters: $1 host_id int4, $2 finding_id int8.
-- Columns: {alert}, and z_score, drift_pct, baseline_stddev float8. Rows: one at most. Index: the primary key.
SELECT {alert}, z_score, drift_pct, baseline_stddev
FROM collector.findings
WHERE host_id = $1 AND finding_id = $2 AND confirmed_at IS NOT NULL
