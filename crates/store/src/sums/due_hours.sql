-- Hours without sums of their present version whose samples are kept, with those of the hour before.
-- Parameters: $1 at most so many int8.
-- Columns: host_id int4, start timestamptz, version int8. Rows: one per host and hour, the newest first.
-- Indexes: rollups_pkey, changed_hours_bucket.
SELECT r.host_id, r.bucket, r.version
FROM collector.hosts h
JOIN collector.rollups r ON r.host_id = h.host_id AND r.grain = 'hour'
WHERE r.summed_version IS DISTINCT FROM r.version
  AND r.bucket >= coalesce((SELECT (first_day + 1)::timestamp AT TIME ZONE 'UTC'
                            FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')
  AND NOT EXISTS (SELECT FROM collector.changed_hours c WHERE c.host_id = r.host_id AND c.bucket = r.bucket)
ORDER BY r.bucket DESC, r.host_id
LIMIT $1
