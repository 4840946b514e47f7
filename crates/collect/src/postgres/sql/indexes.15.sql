-- How are the indexes of this database used, and must each stay? At most 2000 rows, the biggest and the
-- busiest first; `found` counts all. PostgreSQL 15, readable by everybody. As pg_stat_user_indexes and
-- pg_statio_user_indexes tell it, by the functions these call. What must stay is had from the catalogue,
-- never from a name. Scans on standbys are not counted here: ask each of them before dropping anything.
-- Definitions are made for the rows given alone, as each takes its time; NULL for those in $1, which the
-- asker knows by `relation`; empty for tables that somebody holds or awaits a lock on that excludes
-- everything: making one would wait. Identifiers below 16384 are the server's own.
WITH locked AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'),
ranked AS (
  SELECT c.oid, c.relname, i.indrelid, greatest(c.relpages, 0)::int8 AS pages,
         pg_stat_get_numscans(c.oid) AS idx_scan, count(*) OVER () AS found,
         row_number() OVER (ORDER BY c.relpages DESC, c.oid) AS big,
         row_number() OVER (ORDER BY pg_stat_get_numscans(c.oid) DESC, c.oid) AS busy
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence <> 't'
  WHERE i.indrelid >= 16384 AND c.relnamespace <> 'pg_toast'::regnamespace),
r AS MATERIALIZED (SELECT * FROM ranked ORDER BY least(big, busy), big LIMIT 2000)
SELECT r.oid::int8 AS relation, n.nspname::text AS schema_name, t.relname::text AS table_name,
       r.relname::text AS index_name, r.found,
       r.pages * k.bs AS size_bytes, r.idx_scan,
       pg_stat_get_tuples_returned(r.oid) AS idx_tup_read,
       pg_stat_get_tuples_fetched(r.oid) AS idx_tup_fetch,
       pg_stat_get_blocks_fetched(r.oid) - pg_stat_get_blocks_hit(r.oid) AS idx_blks_read,
       pg_stat_get_blocks_hit(r.oid) AS idx_blks_hit,
       k.counted_since, NULL::timestamptz AS last_idx_scan, i.indisunique AS is_unique,
       i.indisunique OR i.indisreplident OR i.indisexclusion
         OR r.oid IN (SELECT conindid FROM pg_constraint WHERE conindid <> 0)
         OR r.oid IN (SELECT inhrelid FROM pg_inherits) AS is_needed,
       i.indisvalid AND i.indisready AS is_valid,
       CASE WHEN r.oid::int8 IN (SELECT unnest($1::int8[])) THEN NULL
            WHEN r.indrelid IN (SELECT relation FROM locked) OR r.oid IN (SELECT relation FROM locked)
            THEN '' ELSE left(coalesce(pg_get_indexdef(r.oid), ''), 1000) END AS definition
FROM r
JOIN pg_index i ON i.indexrelid = r.oid
JOIN pg_class t ON t.oid = r.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs,
                   greatest(d.stats_reset, b.stats_reset) AS counted_since
            FROM pg_stat_database d, pg_stat_bgwriter b
            WHERE d.datname = current_database()) k;
