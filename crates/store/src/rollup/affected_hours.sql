-- The hours to roll up on behalf of one that has changed: itself, and those behind it that are rolled up and in which a
-- step that begins in it can count. Not those whose samples, or the ones before them, are expired or about to.
-- Parameters: $1 host_id int4, $2 its start timestamptz, $3 how many hours a step reaches int4.
-- Columns: start timestamptz, version int8 (null: not rolled up yet). Indexes: rollups_pkey.
SELECT h.bucket, r.version
FROM generate_series($2::timestamptz, $2::timestamptz + $3::int4 * interval '1 hour', interval '1 hour') h (bucket)
LEFT JOIN collector.rollups r ON r.host_id = $1 AND r.grain = 'hour' AND r.bucket = h.bucket
WHERE (h.bucket = $2 AND r.version IS NULL)
   OR (r.version IS NOT NULL
       AND h.bucket >= coalesce((SELECT (first_day + 1)::timestamp AT TIME ZONE 'UTC'
                                 FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity'))
ORDER BY h.bucket
