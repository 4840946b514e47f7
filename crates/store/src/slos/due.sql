-- Hours that are rolled up and not counted for an objective, or not as it is defined now, or rolled up anew since.
-- Parameters: $1 host_id int4, $2 names text[], $3 their specifications text[], $4 from, $5 to (timestamptz), $6 most rows int8.
-- Columns: slo_name text, bucket timestamptz, version int8, ticks int4. Rows: the newest hour first.
-- Indexes: rollups_pkey, slo_hours_pkey.
SELECT d.slo_name, r.bucket, r.version, r.ticks
FROM unnest($2::text[], $3::text[]) AS d (slo_name, spec)
CROSS JOIN collector.rollups r
LEFT JOIN collector.slo_hours h
       ON h.host_id = $1 AND h.slo_name = d.slo_name AND h.metric_key = '' AND h.bucket = r.bucket
      AND h.bucket >= $4 AND h.bucket < $5 AND h.spec = d.spec
WHERE r.host_id = $1 AND r.grain = 'hour' AND r.bucket >= $4 AND r.bucket < $5
  AND h.version IS DISTINCT FROM r.version
ORDER BY r.bucket DESC, d.slo_name
LIMIT $6
