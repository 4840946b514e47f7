-- Who replicates, how far is each behind, and which slots keep WAL? One row per slot and per standby
-- without one; PostgreSQL 15 and newer, primary or cascading standby. Needs pg_read_all_stats, else state,
-- positions and lags are NULL. A lag in time is NULL while nothing moves: with nothing left to replay
-- it is 0 here. A lost slot keeps nothing: retained_bytes is NULL, look at wal_status.
WITH here AS (
  SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
              ELSE pg_current_wal_lsn() END AS lsn)
SELECT coalesce(s.slot_name::text, '') AS slot_name,
       coalesce(r.application_name, '') AS application_name,
       coalesce(s.slot_type, 'physical') AS slot_type,
       coalesce(s.database::text, '') AS database,
       coalesce(s.active, r.pid IS NOT NULL) AS active,
       coalesce(host(r.client_addr), '') AS client_addr,
       coalesce(r.state, '') AS state,
       coalesce(r.sync_state, '') AS sync_state,
       coalesce(s.wal_status, '') AS wal_status,
       pg_wal_lsn_diff(here.lsn, s.restart_lsn)::int8 AS retained_bytes,
       s.safe_wal_size AS safe_wal_bytes,
       pg_wal_lsn_diff(here.lsn, s.confirmed_flush_lsn)::int8 AS unconfirmed_bytes,
       pg_wal_lsn_diff(here.lsn, r.sent_lsn)::int8 AS sent_lag_bytes,
       pg_wal_lsn_diff(here.lsn, r.write_lsn)::int8 AS write_lag_bytes,
       pg_wal_lsn_diff(here.lsn, r.flush_lsn)::int8 AS flush_lag_bytes,
       pg_wal_lsn_diff(here.lsn, r.replay_lsn)::int8 AS replay_lag_bytes,
       CASE WHEN r.write_lsn >= here.lsn THEN 0
            ELSE extract(epoch FROM r.write_lag) * 1000 END::float8 AS write_lag_ms,
       CASE WHEN r.flush_lsn >= here.lsn THEN 0
            ELSE extract(epoch FROM r.flush_lag) * 1000 END::float8 AS flush_lag_ms,
       CASE WHEN r.replay_lsn >= here.lsn THEN 0
            ELSE extract(epoch FROM r.replay_lag) * 1000 END::float8 AS replay_lag_ms,
       extract(epoch FROM clock_timestamp() - r.reply_time)::float8 AS reply_age_secs,
       r.sent_lsn::text AS sent_lsn, r.write_lsn::text AS write_lsn,
       r.flush_lsn::text AS flush_lsn, r.replay_lsn::text AS replay_lsn,
       greatest(age(s.xmin), age(r.backend_xmin))::int8 AS xmin_age,
       age(s.catalog_xmin)::int8 AS catalog_xmin_age,
       NULL::text AS invalidation_reason, NULL::timestamptz AS inactive_since, -- @before 17
       s.invalidation_reason, s.inactive_since, -- @since 17
       coalesce(extract(epoch FROM d.stats_reset)::text, '-') AS reset,
       d.spill_bytes, d.total_bytes
FROM pg_stat_replication r
FULL JOIN pg_replication_slots s ON s.active_pid = r.pid
LEFT JOIN pg_stat_replication_slots d ON d.slot_name = s.slot_name::text
CROSS JOIN here;
