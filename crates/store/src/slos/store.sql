-- Stores what hours counted. A key that an hour does not have any more counts nothing.
-- Parameters: $1 host_id int4, then one array for each column: $2 slo_name, $3 metric_key text[], $4 bucket timestamptz[],
--   $5 spec text[], $6 version int8[], $7 bad, $8 total, $9 judged, $10 down, $11 value_sum float8[].
-- Indexes: slo_hours_pkey.
WITH new AS MATERIALIZED (
    SELECT * FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int8[],
                         $7::float8[], $8::float8[], $9::float8[], $10::float8[], $11::float8[])
        AS n (slo_name, metric_key, bucket, spec, version, bad, total, judged, down, value_sum)
), gone AS (
    UPDATE collector.slo_hours h SET bad = 0, total = 0, judged = 0, down = 0, value_sum = 0
    WHERE h.host_id = $1 AND h.metric_key <> ''
      AND (h.slo_name, h.bucket) IN (SELECT n.slo_name, n.bucket FROM new n)
      AND NOT EXISTS (SELECT FROM new n
                      WHERE n.slo_name = h.slo_name AND n.metric_key = h.metric_key AND n.bucket = h.bucket)
)
INSERT INTO collector.slo_hours AS h
    (host_id, slo_name, metric_key, bucket, spec, version, bad, total, judged, down, value_sum)
SELECT $1, n.slo_name, n.metric_key, n.bucket, n.spec, n.version, n.bad, n.total, n.judged, n.down, n.value_sum FROM new n
ON CONFLICT (host_id, slo_name, metric_key, bucket) DO UPDATE
SET spec = excluded.spec, version = excluded.version, bad = excluded.bad, total = excluded.total,
    judged = excluded.judged, down = excluded.down, value_sum = excluded.value_sum
