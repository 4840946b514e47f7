-- Days without sums of their present version, all of whose hours have theirs and are kept.
-- Columns: host_id int4, start, end timestamptz, version int8. Rows: one per host and day, the newest first.
-- Indexes: rollups_pkey, changed_hours_bucket.
SELECT d.host_id, d.bucket, d.bucket + interval '24 hours', d.version
FROM collector.hosts h
JOIN collector.rollups d ON d.host_id = h.host_id AND d.grain = 'day'
WHERE d.summed_version IS DISTINCT FROM d.version
  AND d.bucket >= coalesce((SELECT first_day::timestamp AT TIME ZONE 'UTC'
                            FROM collector.kept WHERE keep = 'hourly' AND days IS NOT NULL), '-infinity')
  AND (SELECT bool_and(coalesce(o.summed_version = o.version, false)) AND sum(o.version) = d.version FROM collector.rollups o
       WHERE o.host_id = d.host_id AND o.grain = 'hour' AND o.bucket >= d.bucket AND o.bucket < d.bucket + interval '24 hours')
  AND NOT EXISTS (SELECT FROM collector.changed_hours c
                  WHERE c.host_id = d.host_id AND c.bucket >= d.bucket AND c.bucket < d.bucket + interval '24 hours')
ORDER BY d.bucket DESC, d.host_id
