-- How much WAL was made? One row, PostgreSQL 15 to 17, readable by everybody. Times are zero while
-- track_wal_io_timing is off: they become NULL. On a standby all of it stays zero.
SELECT extract(epoch FROM stats_reset)::text AS reset,
       wal_records, wal_fpi, wal_bytes::int8 AS wal_bytes, wal_buffers_full, wal_write, wal_sync,
       CASE WHEN current_setting('track_wal_io_timing')::bool THEN wal_write_time END AS wal_write_ms_total,
       CASE WHEN current_setting('track_wal_io_timing')::bool THEN wal_sync_time END AS wal_sync_ms_total
FROM pg_stat_wal;
