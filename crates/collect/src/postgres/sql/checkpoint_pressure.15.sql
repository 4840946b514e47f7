-- How near is a checkpoint forced by WAL? One row; value: WAL since the last redo point in percent of
-- max_wal_size. PostgreSQL 15 and newer, readable by everybody.
SELECT 'checkpoint' AS object,
       100 * wal_since_redo_bytes::float8 / max_wal_size_bytes AS value, p.*
FROM (SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                  ELSE pg_current_wal_lsn() END, redo_lsn)::int8 AS wal_since_redo_bytes,
             pg_size_bytes(current_setting('max_wal_size')) AS max_wal_size_bytes,
             extract(epoch FROM clock_timestamp() - checkpoint_time)::float8 AS last_checkpoint_age_secs,
             extract(epoch FROM current_setting('checkpoint_timeout')::interval)::float8 AS checkpoint_timeout_secs
      FROM pg_control_checkpoint()) p;
