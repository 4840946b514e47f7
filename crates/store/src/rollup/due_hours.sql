-- Hours to roll up: those that have changed, the last one of each writer that fell silent, and those that an earlier program made
-- which knew less than the schema had, while their samples are kept.
-- Parameters: $1 the instant before which an hour has to end, $2 that before which a silent writer stored its last
--   rows (timestamptz), $3 whether this program knows all that the schema has bool.
-- Columns: host_id int4, start timestamptz. Rows: one per host and hour, the newest day first and its hours in order.
-- Indexes: changed_hours_bucket, rollups_pkey, rollups_not_whole.
SELECT host_id, bucket
FROM (SELECT host_id, bucket FROM collector.changed_hours
      UNION
      SELECT w.host_id, s.bucket
      FROM collector.spool_watermark w
      CROSS JOIN LATERAL (SELECT date_bin('1 hour', w.last_ts, 'epoch'::timestamptz) AS bucket) s
      WHERE w.updated_at < $2 AND s.bucket IS NOT NULL
        AND NOT EXISTS (SELECT FROM collector.rollups r
                        WHERE r.host_id = w.host_id AND r.grain = 'hour' AND r.bucket = s.bucket)
      UNION
      SELECT r.host_id, r.bucket FROM collector.rollups r
      WHERE $3::bool AND r.grain = 'hour' AND r.whole_version IS DISTINCT FROM r.version
        AND r.bucket >= coalesce((SELECT (first_day + 1)::timestamp AT TIME ZONE 'UTC'
                                  FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')) due
WHERE bucket <= $1::timestamptz - interval '1 hour'
ORDER BY date_bin('24 hours', bucket, 'epoch'::timestamptz) DESC, host_id, bucket
