-- Notes that a day is rolled up from the present state of its hours.
-- Parameters: $1 host_id int4, $2 its start, $3 its end (timestamptz). Indexes: rollups_pkey.
INSERT INTO collector.rollups AS r (host_id, grain, bucket, version, ticks)
SELECT $1, 'day', $2, sum(version), sum(ticks)
FROM collector.rollups WHERE host_id = $1 AND grain = 'hour' AND bucket >= $2 AND bucket < $3
ON CONFLICT (host_id, grain, bucket) DO UPDATE
SET version = excluded.version, ticks = excluded.ticks, has_sums = false, rolled_at = excluded.rolled_at
