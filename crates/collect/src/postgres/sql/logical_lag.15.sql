-- How far behind are the consumers of logical slots? One row per slot, furthest first; value: bytes not
-- confirmed. PostgreSQL 15 and newer. The lag in time needs pg_read_all_stats.
WITH here AS (
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn)
SELECT s.slot_name::text AS object,
       pg_wal_lsn_diff(here.lsn, s.confirmed_flush_lsn)::float8 AS value,
       s.database::text AS database, s.active,
       pg_wal_lsn_diff(here.lsn, s.restart_lsn)::int8 AS retained_bytes,
       (extract(epoch FROM r.replay_lag) * 1000)::float8 AS replay_lag_ms,
       age(s.catalog_xmin)::int8 AS catalog_xmin_age, st.spill_bytes, st.total_bytes
FROM pg_replication_slots s
CROSS JOIN here
LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
LEFT JOIN pg_stat_replication_slots st ON st.slot_name = s.slot_name::text
WHERE s.slot_type = 'logical' ORDER BY value DESC NULLS LAST;
