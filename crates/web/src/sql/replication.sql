-- Slots, and standbys without one, at the newest tick of each server. A server without any has no row,
-- so the newest tick is that of the server's own row.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a few ticks).
-- Columns: those of table replication, id (the metrics' key), sev_wal_status text. Rows: one per slot or standby.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
)
SELECT r.instance || '.' || CASE WHEN r.slot_name = '' THEN r.application_name ELSE r.slot_name END AS id,
       CASE WHEN r.slot_name = '' THEN r.application_name ELSE r.slot_name END AS slot,
       r.slot_type, r.active, r.state, r.wal_status, r.safe_wal_bytes, r.unconfirmed_bytes, r.sync_state,
       r.client_addr, r.application_name, r.sent_lsn, r.replay_lsn,
       greatest(r.xmin_age, r.catalog_xmin_age) AS xmin_age, r.invalidation_reason,
       r.inactive_since AS inactive_since_ms, r.database, r.instance,
       CASE r.wal_status WHEN 'lost' THEN 'critical' WHEN 'unreserved' THEN 'warn' END AS sev_wal_status,
       CASE WHEN NOT r.active THEN 'warn' END AS sev_active
FROM newest
JOIN collector.replication_metrics_raw r ON r.instance = newest.instance AND r.ts = newest.ts
WHERE r.host_id = $1 AND r.ts >= $2 AND r.ts < $3
