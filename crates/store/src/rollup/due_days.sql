-- Days to roll up: those that are over, of which no hour has changed and none is the last of a writer that is not rolled up
-- yet, and whose hours are not those of the last roll-up.
-- Hours that are expired count no more: a day is rolled up from rows of metric_hours.
-- Parameters: $1 the instant before which a day has to end (timestamptz).
-- Columns: host_id int4, start timestamptz. Rows: one per host and day. Indexes: rollups_pkey, changed_hours_bucket.
SELECT s.host_id, s.day
FROM (
    SELECT r.host_id, date_bin('24 hours', r.bucket, 'epoch'::timestamptz) AS day, sum(r.version) AS version
    FROM collector.rollups r
    WHERE r.grain = 'hour'
      AND r.bucket >= coalesce((SELECT first_day::timestamp AT TIME ZONE 'UTC'
                                FROM collector.kept WHERE keep = 'hourly' AND days IS NOT NULL), '-infinity')
    GROUP BY 1, 2
) s
WHERE s.day <= $1::timestamptz - interval '24 hours'
  AND NOT EXISTS (SELECT FROM collector.rollups d
                  WHERE d.host_id = s.host_id AND d.grain = 'day' AND d.bucket = s.day AND d.version = s.version)
  AND NOT EXISTS (SELECT FROM collector.changed_hours c
                  WHERE c.host_id = s.host_id AND c.bucket >= s.day AND c.bucket < s.day + interval '24 hours')
  AND NOT EXISTS (SELECT FROM collector.spool_watermark w
                  CROSS JOIN LATERAL (SELECT date_bin('1 hour', w.last_ts, 'epoch'::timestamptz) AS bucket) l
                  WHERE w.host_id = s.host_id AND l.bucket >= s.day AND l.bucket < s.day + interval '24 hours'
                    AND NOT EXISTS (SELECT FROM collector.rollups r
                                    WHERE r.host_id = s.host_id AND r.grain = 'hour' AND r.bucket = l.bucket))
ORDER BY s.day DESC, s.host_id
