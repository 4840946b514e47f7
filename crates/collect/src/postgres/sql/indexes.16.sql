-- How are the indexes of this database used, and must each stay? At most 2000 rows, the biggest and the
-- busiest first; `found` counts all. PostgreSQL 16 and newer, readable by everybody. What must stay is had
-- from the catalogue, never from a name. Scans on standbys are not counted here: ask each of them before
-- dropping anything. Definitions are made for the rows given alone, as each takes its time, and not for
-- tables that somebody holds or awaits a lock on that excludes everything: making one would wait.
WITH locked AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'),
ranked AS (
  SELECT s.*, greatest(c.relpages, 0)::int8 AS pages, count(*) OVER () AS found,
         row_number() OVER (ORDER BY c.relpages DESC, s.indexrelid) AS big,
         row_number() OVER (ORDER BY s.idx_scan DESC, s.indexrelid) AS busy
  FROM pg_stat_user_indexes s JOIN pg_class c ON c.oid = s.indexrelid
  WHERE c.relpersistence <> 't'),
chosen AS MATERIALIZED (SELECT * FROM ranked ORDER BY least(big, busy), big LIMIT 2000)
SELECT r.schemaname::text AS schema_name, r.relname::text AS table_name,
       r.indexrelname::text AS index_name, r.found,
       r.pages * k.bs AS size_bytes,
       r.idx_scan, r.idx_tup_read, r.idx_tup_fetch, io.idx_blks_read, io.idx_blks_hit,
       k.counted_since, r.last_idx_scan AS last_idx_scan,
       i.indisunique AS is_unique,
       i.indisunique OR i.indisreplident OR i.indisexclusion
         OR EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = r.indexrelid)
         OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = r.indexrelid) AS is_needed,
       i.indisvalid AND i.indisready AS is_valid,
       CASE WHEN r.relid IN (SELECT relation FROM locked) OR r.indexrelid IN (SELECT relation FROM locked)
            THEN '' ELSE left(coalesce(pg_get_indexdef(r.indexrelid), ''), 1000) END AS definition
FROM chosen r
JOIN pg_index i ON i.indexrelid = r.indexrelid
LEFT JOIN pg_statio_user_indexes io ON io.indexrelid = r.indexrelid
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs,
                   greatest(d.stats_reset, b.stats_reset) AS counted_since
            FROM pg_stat_database d, pg_stat_bgwriter b
            WHERE d.datname = current_database()) k;
