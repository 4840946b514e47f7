-- How are the indexes of this database used, and must each stay? At most 2000 rows, the biggest and the
-- busiest first; `found` counts all. PostgreSQL 15 and newer, readable by everybody. As pg_stat_user_indexes and
-- pg_statio_user_indexes, by the functions these call. What must stay is had from the catalogue,
-- never from a name. Scans on standbys are not counted here: ask each of them before dropping anything.
-- Definitions are made for the rows given alone, as each takes its time; NULL for those in $1, which the
-- asker knows by `relation`; empty for tables that somebody holds or awaits a lock on that excludes
-- everything: making one would wait. Sizes come from the catalogue, or as those of tables from the files,
-- and are unknown of what is held. The index of a partition names the one at the root in `partition_of`.
-- Identifiers below 16384 are the server's own.
WITH locked AS MATERIALIZED (
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
c AS MATERIALIZED (
  SELECT c.oid, i.indrelid, pg_stat_get_numscans(c.oid) AS idx_scan, s.is_old,
         -- Where nothing is known of its size, the rows of its table say whether it is among the biggest.
         greatest(c.relpages, CASE WHEN s.is_old THEN pg_stat_get_live_tuples(t.oid) / 200 END, 0)::int8 AS pages,
         greatest(c.relpages, 0)::int8 AS known, c.relname AS index_name, c.relispartition,
         t.relname AS table_name, t.relnamespace, i.indisunique,
         i.indisunique OR i.indisreplident OR i.indisexclusion AS is_needed,
         i.indisvalid AND i.indisready AS is_valid
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence <> 't'
  JOIN pg_class t ON t.oid = i.indrelid
  CROSS JOIN LATERAL (
    SELECT c.reltuples < 0 OR t.reltuples < 0
           OR least(pg_stat_get_ins_since_vacuum(t.oid), pg_stat_get_mod_since_analyze(t.oid))
              > 0.1 * t.reltuples AS is_old) s
  WHERE i.indrelid >= 16384 AND c.relnamespace <> 'pg_toast'::regnamespace AND c.relnamespace <> {own}),
r AS MATERIALIZED (
  SELECT c.*, (SELECT count(*) FROM c) AS found,
         oid IN (SELECT relation FROM locked) OR indrelid IN (SELECT relation FROM locked) AS is_held
  FROM (SELECT oid, least(row_number() OVER (ORDER BY pages DESC, oid),
                          row_number() OVER (ORDER BY idx_scan DESC, oid)) AS place
        FROM c ORDER BY place, oid LIMIT 2000) p JOIN c USING (oid))
SELECT r.oid::int8 AS relation, n.nspname::text AS schema_name, r.table_name::text AS table_name,
       r.index_name::text AS index_name, r.found,
       CASE WHEN r.relispartition THEN (SELECT pn.nspname || '.' || pc.relname
                                        FROM pg_class pc JOIN pg_namespace pn ON pn.oid = pc.relnamespace
                                        WHERE pc.oid = pg_partition_root(r.oid)) END AS partition_of,
       CASE WHEN NOT r.is_old THEN r.known * k.bs WHEN NOT r.is_held THEN pg_relation_size(r.oid) END AS size_bytes,
       r.idx_scan,
       pg_stat_get_tuples_returned(r.oid) AS idx_tup_read,
       pg_stat_get_tuples_fetched(r.oid) AS idx_tup_fetch,
       pg_stat_get_blocks_fetched(r.oid) - pg_stat_get_blocks_hit(r.oid) AS idx_blks_read,
       pg_stat_get_blocks_hit(r.oid) AS idx_blks_hit,
       NULL::timestamptz AS last_idx_scan, -- @before 16
       pg_stat_get_lastscan(r.oid) AS last_idx_scan, -- @since 16
       k.counted_since, r.indisunique AS is_unique,
       r.is_needed
         OR r.oid IN (SELECT conindid FROM pg_constraint WHERE conindid <> 0)
         OR r.oid IN (SELECT inhrelid FROM pg_inherits) AS is_needed,
       r.is_valid,
       CASE WHEN r.oid::int8 IN (SELECT unnest($1::int8[])) THEN NULL
            WHEN r.is_held THEN '' ELSE coalesce(pg_get_indexdef(r.oid), '') END AS definition
FROM r
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs,
                   greatest(pg_stat_get_db_stat_reset_time(oid),
                            pg_stat_get_bgwriter_stat_reset_time()) AS counted_since
            FROM pg_database WHERE datname = current_database()) k;
