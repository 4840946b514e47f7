-- Which indexes has nobody scanned that need not stay? One row each, biggest first; value: bytes, as of
-- the last vacuum. PostgreSQL 15, readable by everybody. Scans on standbys are not counted here, and
-- indexes of partitions go with their parent.
SELECT s.schemaname || '.' || s.indexrelname AS object,
       c.relpages::float8 * current_setting('block_size')::float8 AS value,
       s.relname AS table_name, NULL::timestamptz AS last_idx_scan,
       extract(epoch FROM clock_timestamp() - greatest(d.stats_reset, b.stats_reset))::float8 AS counted_secs
FROM pg_stat_user_indexes s
JOIN pg_index i USING (indexrelid)
JOIN pg_class c ON c.oid = s.indexrelid
JOIN pg_stat_database d ON d.datname = current_database()
CROSS JOIN pg_stat_bgwriter b
WHERE s.idx_scan = 0 AND i.indisvalid AND NOT i.indisunique AND NOT i.indisreplident AND NOT i.indisexclusion
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = s.indexrelid)
  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = s.indexrelid)
ORDER BY value DESC, object LIMIT 50;
