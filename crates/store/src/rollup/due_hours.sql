-- Hours to roll up: those that have changed, and the last one of each writer that fell silent.
-- Parameters: $1 the instant before which an hour has to end, $2 that before which a silent writer stored its last
--   rows (timestamptz).
-- Columns: host_id int4, start timestamptz. Rows: one per host and hour, the newest day first and its hours in order.
-- Indexes: changed_hours_bucket, rollups_pkey.
SELECT host_id, bucket
FROM (SELECT host_id, bucket FROM collector.changed_hours
      UNION
      SELECT w.host_id, s.bucket
      FROM collector.spool_watermark w
      CROSS JOIN LATERAL (SELECT date_bin('1 hour', w.last_ts, 'epoch'::timestamptz) AS bucket) s
      WHERE w.updated_at < $2 AND s.bucket IS NOT NULL
        AND NOT EXISTS (SELECT FROM collector.rollups r
                        WHERE r.host_id = w.host_id AND r.grain = 'hour' AND r.bucket = s.bucket)) due
WHERE bucket <= $1::timestamptz - interval '1 hour'
ORDER BY date_bin('24 hours', bucket, 'epoch'::timestamptz) DESC, host_id, bucket
