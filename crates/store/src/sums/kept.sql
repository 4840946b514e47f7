-- What is summed of a range: by months, by days and, outside of these days, by hours.
-- Parameters: $1 host_id int4, $2 from, $3 to, $4 from when changes count (timestamptz, hours).
-- Columns: kind int4 (0: the first instant whose samples are kept, 1: a day with the sums of the present state of its hours,
--   2: an hour with its sums, 3: an hour that has changed since, 4: the first instant whose hours are kept, 5: a month with the sums of the
--   present state of its days), at timestamptz, end timestamptz (of a month).
-- Indexes: rollups_pkey, changed_hours_bucket, summed_months_pkey.
WITH days AS MATERIALIZED (
    SELECT d.bucket FROM collector.rollups d
    WHERE d.host_id = $1 AND d.grain = 'day' AND d.bucket >= $2 AND d.bucket < $3 AND d.summed_version = d.version
      AND d.version = (SELECT sum(h.version) FROM collector.rollups h
                       WHERE h.host_id = $1 AND h.grain = 'hour'
                         AND h.bucket >= d.bucket AND h.bucket < d.bucket + interval '24 hours')
)
SELECT CASE keep WHEN 'raw' THEN 0 ELSE 4 END, first_day::timestamp AT TIME ZONE 'UTC', NULL::timestamptz
FROM collector.kept WHERE keep IN ('raw', 'hourly') AND days IS NOT NULL
UNION ALL
SELECT 1, bucket, NULL FROM days
UNION ALL
SELECT 2, h.bucket, NULL FROM collector.rollups h
WHERE h.host_id = $1 AND h.grain = 'hour' AND h.bucket >= $2 AND h.bucket < $3 AND h.summed_version = h.version
  AND NOT EXISTS (SELECT FROM days d WHERE d.bucket = date_bin('24 hours', h.bucket, 'epoch'::timestamptz))
UNION ALL
SELECT 3, bucket, NULL FROM collector.changed_hours
WHERE host_id = $1 AND bucket >= $4 AND bucket < $3
UNION ALL
SELECT 5, m.bucket, m.bucket + interval '1 month' FROM collector.summed_months m
WHERE m.host_id = $1 AND m.bucket >= $2 AND m.bucket < $3
  AND m.version = (SELECT sum(d.version) FROM collector.rollups d
                   WHERE d.host_id = $1 AND d.grain = 'day' AND d.bucket >= m.bucket AND d.bucket < m.bucket + interval '1 month')
