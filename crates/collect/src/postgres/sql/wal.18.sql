-- How much WAL was made? One row, PostgreSQL 18 and newer, readable by everybody. Writes and syncs
-- have moved to pg_stat_io. Only context normal counts: the making of segments was never counted
-- before. The receiver is left out, so that a standby gives what it gave. Times as before: NULL while
-- track_wal_io_timing is off.
SELECT concat_ws('/', extract(epoch FROM w.stats_reset), io.reset) AS reset,
       w.wal_records, w.wal_fpi, w.wal_bytes::int8 AS wal_bytes, w.wal_buffers_full,
       io.wal_write, io.wal_sync,
       CASE WHEN current_setting('track_wal_io_timing')::bool THEN io.write_ms END AS wal_write_ms_total,
       CASE WHEN current_setting('track_wal_io_timing')::bool THEN io.sync_ms END AS wal_sync_ms_total
FROM pg_stat_wal w
CROSS JOIN (SELECT extract(epoch FROM max(stats_reset)) AS reset, coalesce(sum(writes), 0)::int8 AS wal_write,
                   coalesce(sum(fsyncs), 0)::int8 AS wal_sync,
                   coalesce(sum(write_time), 0)::float8 AS write_ms,
                   coalesce(sum(fsync_time), 0)::float8 AS sync_ms
            FROM pg_stat_io
            WHERE object = 'wal' AND context = 'normal' AND backend_type <> 'walreceiver') io;
