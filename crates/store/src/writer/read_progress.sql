-- The progress of a spool, created if there is none.
-- $1 host_id int4, $2 writer text.
-- Rows: one: seq int8, progress json text, last delivered sample µs int8 or null.
WITH made AS (
    INSERT INTO collector.spool_watermark (host_id, writer, seq, progress)
    VALUES ($1::int4, $2::text::uuid, 0, '{}')
    ON CONFLICT (host_id, writer) DO NOTHING
    RETURNING seq, progress, last_ts
)
SELECT seq, progress::text, (extract(epoch FROM last_ts) * 1000000)::int8
FROM (SELECT seq, progress, last_ts FROM made
      UNION ALL
      SELECT seq, progress, last_ts FROM collector.spool_watermark
      WHERE host_id = $1::int4 AND writer = $2::text::uuid) w
LIMIT 1
