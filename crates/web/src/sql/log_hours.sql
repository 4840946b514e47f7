-- Hours with lines of logs that may pass filters: where to look, and how much there is to read.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 levels, $5 sources, $6 fingerprints
-- text[]; NULL: no restriction.
-- Columns: bucket timestamptz (start of the hour), lines int8 (of the hour, all of them).
-- Rows: newest first. Index: log_metrics_hourly_pkey, log_fingerprint_hourly_fingerprint. Counts are
-- stored in the transaction of their lines, so an hour without a count has no line.
SELECT m.bucket, sum(m.count)::int8 AS lines
FROM collector.log_metrics_hourly m
WHERE m.host_id = $1 AND m.bucket >= date_trunc('hour', $2, 'UTC') AND m.bucket < $3
  AND ($6::text[] IS NULL OR EXISTS (SELECT FROM collector.log_fingerprint_hourly f
                                     WHERE f.host_id = $1 AND f.fingerprint = ANY ($6) AND f.bucket = m.bucket))
GROUP BY m.bucket
HAVING bool_or(($4::text[] IS NULL OR m.level = ANY ($4)) AND ($5::text[] IS NULL OR m.source = ANY ($5)))
ORDER BY m.bucket DESC
