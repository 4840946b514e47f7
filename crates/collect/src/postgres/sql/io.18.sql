-- Which kind of process reads and writes how much? PostgreSQL 18 and newer; one row per kind, object and
-- context. Readable by everybody. Counts are of calls, each of several blocks at most: only bytes can
-- be compared with older releases. Times of WAL hang on a setting of their own; NULL while it is off.
SELECT backend_type, object, context,
       coalesce(extract(epoch FROM stats_reset)::text, '-') AS reset,
       reads, read_bytes::int8 AS read_bytes, CASE WHEN timed THEN read_time END AS read_ms_total,
       writes, write_bytes::int8 AS write_bytes, CASE WHEN timed THEN write_time END AS write_ms_total,
       extends, extend_bytes::int8 AS extend_bytes, hits, evictions, reuses, fsyncs,
       CASE WHEN timed THEN fsync_time END AS fsync_ms_total
FROM (SELECT *, current_setting(CASE object WHEN 'wal' THEN 'track_wal_io_timing'
                                            ELSE 'track_io_timing' END)::bool AS timed
      FROM pg_stat_io) io;
