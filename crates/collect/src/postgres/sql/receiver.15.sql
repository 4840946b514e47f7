-- How far behind is this standby? One row on a standby, none on a primary; PostgreSQL 15 and newer.
-- Needs pg_read_all_stats for the state of the receiver. The delay is 0 when everything received is
-- replayed: the age of the newest commit would grow on a primary where nothing happens.
SELECT coalesce(r.status, CASE WHEN r.pid IS NULL THEN 'no receiver' END) AS receiver_status,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::int8 AS replay_backlog_bytes,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
       END::float8 AS replay_delay_secs,
       pg_is_wal_replay_paused() AS replay_paused
FROM (SELECT 1) AS one
LEFT JOIN pg_stat_wal_receiver r ON true
WHERE pg_is_in_recovery();
