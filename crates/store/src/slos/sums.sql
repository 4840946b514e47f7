-- The counted hours of each objective and key, added up over three windows.
-- Parameters: $1 host_id int4, $2 names text[], $3 their specifications text[], $4 from of the longest window, $5 of the next,
--   $6 of the shortest, $7 to (timestamptz).
-- Columns: slo_name text, metric_key text, then bad, total, judged, down, value_sum float8 of each window, and the least total
--   of an hour of the second window (null: none has data).
-- Rows: one per objective and key. Indexes: slo_hours_pkey.
SELECT h.slo_name, h.metric_key, sum(bad), sum(total), sum(judged), sum(down), sum(value_sum),
    coalesce(sum(bad) FILTER (WHERE h.bucket >= $5), 0), coalesce(sum(total) FILTER (WHERE h.bucket >= $5), 0), coalesce(sum(judged) FILTER (WHERE h.bucket >= $5), 0), coalesce(sum(down) FILTER (WHERE h.bucket >= $5), 0), coalesce(sum(value_sum) FILTER (WHERE h.bucket >= $5), 0),
    coalesce(sum(bad) FILTER (WHERE h.bucket >= $6), 0), coalesce(sum(total) FILTER (WHERE h.bucket >= $6), 0), coalesce(sum(judged) FILTER (WHERE h.bucket >= $6), 0), coalesce(sum(down) FILTER (WHERE h.bucket >= $6), 0), coalesce(sum(value_sum) FILTER (WHERE h.bucket >= $6), 0),
    min(total) FILTER (WHERE h.bucket >= $5 AND h.judged > 0)
FROM collector.slo_hours h
JOIN unnest($2::text[], $3::text[]) AS d (slo_name, spec) ON d.slo_name = h.slo_name AND d.spec = h.spec
WHERE h.host_id = $1 AND h.bucket >= $4 AND h.bucket < $7
GROUP BY h.slo_name, h.metric_key
