-- Which kind of process reads and writes how much? PostgreSQL 15 has no pg_stat_io: three rows from what
-- the background writer and the databases count. Readable by everybody. Times are known of reads and
-- writes by sessions alone, with track_io_timing.
SELECT w.backend_type, 'relation' AS object, 'normal' AS context,
       extract(epoch FROM b.stats_reset)::text AS reset,
       w.reads, w.reads * k.bs AS read_bytes, w.read_ms AS read_ms_total,
       w.writes, w.writes * k.bs AS write_bytes, w.write_ms AS write_ms_total,
       w.hits, w.fsyncs
FROM pg_stat_bgwriter b
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs,
                   current_setting('track_io_timing')::bool AS timed) k
CROSS JOIN (SELECT sum(blks_read)::int8 AS reads, sum(blks_hit)::int8 AS hits,
                   sum(blk_read_time) AS read_ms, sum(blk_write_time) AS write_ms
            FROM pg_stat_database) d
CROSS JOIN LATERAL (VALUES
  ('checkpointer', NULL::int8, NULL::float8, b.buffers_checkpoint, NULL::float8, NULL::int8, NULL::int8),
  ('background writer', NULL, NULL, b.buffers_clean, NULL, NULL, NULL),
  ('client backend', d.reads, CASE WHEN k.timed THEN d.read_ms END, b.buffers_backend,
   CASE WHEN k.timed THEN d.write_ms END, d.hits, b.buffers_backend_fsync))
  AS w (backend_type, reads, read_ms, writes, write_ms, hits, fsyncs);
