-- Which kind of process reads and writes how much? PostgreSQL 16 and 17; one row per kind, object and
-- context. Readable by everybody. Counts are of blocks here and of calls from 18 on: only bytes can be
-- compared. NULL is what cannot happen. Times are zero without track_io_timing: NULL then.
SELECT backend_type, object, context,
       coalesce(extract(epoch FROM stats_reset)::text, '-') AS reset,
       reads, reads * op_bytes AS read_bytes, CASE WHEN k.timed THEN read_time END AS read_ms_total,
       writes, writes * op_bytes AS write_bytes, CASE WHEN k.timed THEN write_time END AS write_ms_total,
       extends, extends * op_bytes AS extend_bytes, hits, evictions, reuses, fsyncs,
       CASE WHEN k.timed THEN fsync_time END AS fsync_ms_total
FROM pg_stat_io
CROSS JOIN (SELECT current_setting('track_io_timing')::bool AS timed) k;
