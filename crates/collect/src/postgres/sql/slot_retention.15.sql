-- How much WAL does each slot keep? One row each, most first; value: bytes, NULL for a slot that is lost
-- already. A slot that nobody uses fills the disk. PostgreSQL 15 and newer, readable by everybody.
SELECT slot_name::text AS object,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()
                            THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                            ELSE pg_current_wal_lsn() END, restart_lsn)::float8 AS value,
       slot_type, coalesce(database::text, '') AS database, active, coalesce(wal_status, '') AS wal_status,
       safe_wal_size, nullif(current_setting('max_slot_wal_keep_size'), '-1') AS max_slot_wal_keep_size,
       inactive_since, invalidation_reason -- @since 17
       NULL::timestamptz AS inactive_since, NULL::text AS invalidation_reason -- @before 17
FROM pg_replication_slots ORDER BY wal_status = 'lost' DESC, value DESC NULLS LAST;
