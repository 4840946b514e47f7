-- What is rolled up of a range by hours.
-- Parameters: $1 host_id int4, $2 from, $3 to, $4 from when changes count (timestamptz, hours).
-- Columns: kind int4 (0: the first instant whose samples are kept, 2: an hour that is rolled up, 3: an hour that has
--   changed since or is not whole), at timestamptz, whether the host was sampled in it bool, whether it has slices bool.
-- Indexes: rollups_pkey, changed_hours_bucket, rollups_not_whole.
SELECT 0, first_day::timestamp AT TIME ZONE 'UTC', false, false FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL
UNION ALL
SELECT 2, bucket, ticks > 0, has_slices AND bucket >= coalesce((SELECT first_day::timestamp AT TIME ZONE 'UTC' FROM collector.kept WHERE keep = 'brief' AND days IS NOT NULL), '-infinity') FROM collector.rollups
WHERE host_id = $1 AND grain = 'hour' AND bucket >= $2 AND bucket < $3
UNION ALL
SELECT 3, bucket, false, false FROM collector.changed_hours
WHERE host_id = $1 AND bucket >= $4 AND bucket < $3
UNION ALL
-- What an earlier program made lacks what it did not know.
SELECT 3, bucket, false, false FROM collector.rollups
WHERE host_id = $1 AND grain = 'hour' AND bucket >= $4 AND bucket < $3 AND whole_version IS DISTINCT FROM version
