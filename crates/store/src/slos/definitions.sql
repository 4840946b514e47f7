-- The enabled objectives of a host: its own, and those of all hosts that it has none of by the same name.
-- Parameters: $1 host_id int4.
-- Columns: as in slo_definitions. Rows: one per name. Indexes: slo_definitions_pkey.
SELECT d.slo_name, d.domain, d.metric, d.target_value, d.comparison, d.target_pct, d.description, d.metric_key, d.counts_down
FROM (SELECT DISTINCT ON (slo_name) * FROM collector.slo_definitions
      WHERE host_id IN (0, $1) ORDER BY slo_name, host_id DESC) d
WHERE d.enabled
ORDER BY d.slo_name
