-- How are the tables of this database used, how big are they, when were they vacuumed? At most 2000 rows,
-- the biggest and the busiest first; `found` counts all. PostgreSQL 15 and newer, readable by everybody.
-- As in pg_stat_user_tables and pg_statio_user_tables, by the functions these call: the views count
-- everything of every table before the first can be left out.
-- Sizes come from the catalogue, as of the last vacuum or analyze. Where there was none, or a tenth as many
-- rows came since, they come from the files; but never of what somebody holds or awaits a lock on that
-- excludes everything, as asking would wait: unknown then.
-- A partitioned table has the sizes and rows of all its partitions, whether they are among the rows or not;
-- a partition names the table at the root in `partition_of`.
-- Thresholds respect the table's own settings. Identifiers below 16384 are the server's own.
-- Files are looked at for those tables alone that need it: all others have their sizes from one pass over
-- the catalogue.
WITH RECURSIVE parts AS (
  SELECT p.partrelid AS part, p.partrelid AS root FROM pg_partitioned_table p
  WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = p.partrelid)
  UNION ALL
  SELECT i.inhrelid, p.root FROM parts p JOIN pg_inherits i ON i.inhparent = p.part),
held AS MATERIALIZED (
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
k AS MATERIALIZED (
  SELECT current_setting('block_size')::int8 AS bs,
         current_setting('autovacuum')::bool AS autovacuum,
         current_setting('autovacuum_vacuum_threshold')::float8 AS threshold,
         current_setting('autovacuum_vacuum_scale_factor')::float8 AS factor,
         current_setting('autovacuum_vacuum_max_threshold')::float8 AS most -- @since 18
         NULL::float8 AS most -- @before 18
),
ix AS MATERIALIZED (
  SELECT i.indrelid, c.oid, c.relpages, c.reltuples < 0 AS is_unknown
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid >= 16384),
x AS MATERIALIZED (
  SELECT indrelid, sum(relpages)::int8 AS pages, bool_or(is_unknown) AS is_unknown,
         sum(pg_stat_get_numscans(oid))::int8 AS scans, sum(pg_stat_get_tuples_fetched(oid))::int8 AS fetched,
         sum(pg_stat_get_blocks_fetched(oid))::int8 AS blocks, sum(pg_stat_get_blocks_hit(oid))::int8 AS hits,
         NULL::timestamptz AS last_scan -- @before 16
         max(pg_stat_get_lastscan(oid)) AS last_scan -- @since 16
  FROM ix GROUP BY indrelid),
h AS MATERIALIZED (
  SELECT b.*, b.relkind <> 'p' AND (b.is_old OR b.is_unknown) AS needs_files
  FROM (SELECT c.oid, c.relname, c.relnamespace, c.reloptions, c.reltuples, c.relfrozenxid, c.relkind,
               c.relpages, p.root, coalesce(x.pages, 0) AS index_pages,
               x.scans AS idx_scan, x.fetched AS idx_fetched, x.blocks AS idx_blocks, x.hits AS idx_hits,
               x.last_scan AS last_idx_scan,
               coalesce(o.relpages, 0) + coalesce(ox.pages, 0) AS toast_pages,
               o.oid AS toast, o.relpages AS toast_relpages, o.reltuples < 0 AS is_toast_unknown,
               c.reltuples < 0 OR least(pg_stat_get_ins_since_vacuum(c.oid), pg_stat_get_mod_since_analyze(c.oid))
                                  > 0.1 * greatest(c.reltuples, 0) AS is_old,
               coalesce(x.is_unknown, false) OR coalesce(o.reltuples < 0, false)
                 OR coalesce(ox.is_unknown, false) AS is_unknown
        FROM pg_class c
        LEFT JOIN parts p ON p.part = c.oid
        LEFT JOIN x ON x.indrelid = c.oid
        LEFT JOIN pg_class o ON o.oid = c.reltoastrelid AND o.relkind = 't'
        LEFT JOIN x ox ON ox.indrelid = c.reltoastrelid
        WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
          AND c.relnamespace <> {own}) b),
w AS MATERIALIZED (
  SELECT oid, relpages, toast, toast_relpages, is_toast_unknown, is_old,
         oid IN (SELECT relation FROM held) AS is_held
  FROM h WHERE needs_files),
e AS (
  SELECT w.oid AS heap, 'heap' AS part, w.oid AS rel, w.relpages, w.is_old, w.is_held FROM w
  UNION ALL
  SELECT w.oid, 'index', ix.oid, ix.relpages, w.is_old OR ix.is_unknown, w.is_held
  FROM w JOIN ix ON ix.indrelid = w.oid
  UNION ALL
  SELECT w.oid, 'toast', w.toast, w.toast_relpages, w.is_old OR w.is_toast_unknown, w.is_held
  FROM w WHERE w.toast IS NOT NULL
  UNION ALL
  SELECT w.oid, 'toast', ix.oid, ix.relpages, w.is_old OR w.is_toast_unknown OR ix.is_unknown, w.is_held
  FROM w JOIN ix ON ix.indrelid = w.toast),
b AS (
  SELECT e.heap, e.part, CASE WHEN NOT e.is_old THEN e.relpages::int8 * k.bs
                              WHEN e.is_held OR e.rel IN (SELECT relation FROM held) THEN NULL
                              ELSE pg_relation_size(e.rel) END AS bytes
  FROM e CROSS JOIN k),
s AS MATERIALIZED (
  SELECT heap, CASE WHEN count(*) = count(bytes) THEN sum(bytes) END::int8 AS total,
         CASE WHEN count(*) FILTER (WHERE part = 'index') = count(bytes) FILTER (WHERE part = 'index')
              THEN coalesce(sum(bytes) FILTER (WHERE part = 'index'), 0) END::int8 AS indexes,
         CASE WHEN count(*) FILTER (WHERE part = 'toast') = count(bytes) FILTER (WHERE part = 'toast')
              THEN coalesce(sum(bytes) FILTER (WHERE part = 'toast'), 0) END::int8 AS toast
  FROM b GROUP BY heap),
z AS MATERIALIZED (
  SELECT h.oid, h.relname, h.relnamespace, h.reloptions, h.reltuples, h.relfrozenxid, h.relkind, h.root,
         h.idx_scan, h.idx_fetched, h.idx_blocks, h.idx_hits, h.last_idx_scan,
         CASE WHEN h.needs_files THEN s.total
                   ELSE (h.relpages + h.index_pages + h.toast_pages) * k.bs END AS own_total,
         CASE WHEN h.needs_files THEN s.indexes ELSE h.index_pages * k.bs END AS own_indexes,
         CASE WHEN h.needs_files THEN s.toast ELSE h.toast_pages * k.bs END AS own_toast
  FROM h CROSS JOIN k LEFT JOIN s ON s.heap = h.oid),
f AS MATERIALIZED (
  SELECT root, count(*) AS partitions, CASE WHEN count(*) = count(own_total) THEN sum(own_total) END::int8 AS total,
         CASE WHEN count(*) = count(own_indexes) THEN sum(own_indexes) END::int8 AS indexes,
         CASE WHEN count(*) = count(own_toast) THEN sum(own_toast) END::int8 AS toast,
         sum(pg_stat_get_live_tuples(oid))::int8 AS live
  FROM z WHERE root IS NOT NULL AND relkind <> 'p' GROUP BY root),
t AS MATERIALIZED (
  SELECT z.*, z.relkind = 'p' AND z.oid = z.root AS is_root, f.partitions, f.live,
         -- What is above partitions has no file of its own, nor has a root without partitions anything.
         CASE WHEN z.relkind <> 'p' THEN z.own_total WHEN f.root IS NULL THEN 0 ELSE f.total END AS total,
         CASE WHEN z.relkind <> 'p' THEN z.own_indexes WHEN f.root IS NULL THEN 0 ELSE f.indexes END AS indexes,
         CASE WHEN z.relkind <> 'p' THEN z.own_toast WHEN f.root IS NULL THEN 0 ELSE f.toast END AS toast,
         pg_stat_get_numscans(z.oid) AS seq_scan,
         pg_stat_get_numscans(z.oid) + coalesce(z.idx_scan, 0) + pg_stat_get_tuples_inserted(z.oid)
           + pg_stat_get_tuples_updated(z.oid) + pg_stat_get_tuples_deleted(z.oid) AS uses
  FROM z
  LEFT JOIN f ON f.root = z.oid),
r AS MATERIALIZED (
  SELECT t.*, (SELECT count(*) FROM t) AS found
  FROM (SELECT oid, least(row_number() OVER (ORDER BY total DESC NULLS LAST, oid),
                          row_number() OVER (ORDER BY uses DESC, oid)) AS place
        FROM t ORDER BY place, oid LIMIT 2000) p JOIN t USING (oid)),
a AS MATERIALIZED (
  SELECT r.oid, max(value) FILTER (WHERE name = 'autovacuum_vacuum_threshold')::float8 AS threshold,
         max(value) FILTER (WHERE name = 'autovacuum_vacuum_scale_factor')::float8 AS factor,
         max(value) FILTER (WHERE name = 'autovacuum_vacuum_max_threshold')::float8 AS most, -- @since 18
         NULL::float8 AS most, -- @before 18
         bool_and(value::bool) FILTER (WHERE name = 'autovacuum_enabled') AS enabled
  FROM r CROSS JOIN LATERAL pg_options_to_table(r.reloptions) o (name, value)
  WHERE r.reloptions IS NOT NULL GROUP BY r.oid)
SELECT n.nspname::text AS schema_name, r.relname::text AS table_name, r.found,
       CASE WHEN NOT r.is_root THEN (SELECT pn.nspname || '.' || pc.relname
                                     FROM pg_class pc JOIN pg_namespace pn ON pn.oid = pc.relnamespace
                                     WHERE pc.oid = r.root) END AS partition_of,
       CASE WHEN r.is_root THEN coalesce(r.partitions, 0) END AS partitions,
       total AS total_bytes, indexes AS index_bytes, toast AS toast_bytes,
       CASE WHEN r.is_root THEN coalesce(r.live, 0) ELSE pg_stat_get_live_tuples(r.oid) END AS n_live_tup,
       CASE WHEN r.relkind <> 'p' THEN pg_stat_get_dead_tuples(r.oid) END AS n_dead_tup,
       CASE WHEN r.relkind <> 'p' THEN
       least(coalesce(a.threshold, k.threshold) + coalesce(a.factor, k.factor) * greatest(r.reltuples, 0),
             nullif(coalesce(a.most, k.most), -1)) END AS vacuum_threshold,
       CASE WHEN r.relkind <> 'p' THEN coalesce(a.enabled, true) AND k.autovacuum END AS autovacuum_enabled,
       pg_stat_get_mod_since_analyze(r.oid) AS n_mod_since_analyze,
       pg_stat_get_ins_since_vacuum(r.oid) AS n_ins_since_vacuum,
       CASE WHEN r.relfrozenxid <> '0'::xid THEN age(r.relfrozenxid)::int8 END AS xid_age,
       r.seq_scan, pg_stat_get_tuples_returned(r.oid) AS seq_tup_read, r.idx_scan,
       r.idx_fetched + pg_stat_get_tuples_fetched(r.oid) AS idx_tup_fetch,
       pg_stat_get_tuples_inserted(r.oid) AS n_tup_ins, pg_stat_get_tuples_updated(r.oid) AS n_tup_upd,
       pg_stat_get_tuples_deleted(r.oid) AS n_tup_del,
       pg_stat_get_tuples_hot_updated(r.oid) AS n_tup_hot_upd,
       pg_stat_get_blocks_fetched(r.oid) - pg_stat_get_blocks_hit(r.oid) AS heap_blks_read,
       pg_stat_get_blocks_hit(r.oid) AS heap_blks_hit,
       r.idx_blocks - r.idx_hits AS idx_blks_read, r.idx_hits AS idx_blks_hit,
       pg_stat_get_vacuum_count(r.oid) AS vacuum_count,
       pg_stat_get_autovacuum_count(r.oid) AS autovacuum_count,
       pg_stat_get_autoanalyze_count(r.oid) AS autoanalyze_count,
       pg_stat_get_last_vacuum_time(r.oid) AS last_vacuum,
       pg_stat_get_last_autovacuum_time(r.oid) AS last_autovacuum,
       pg_stat_get_last_analyze_time(r.oid) AS last_analyze,
       pg_stat_get_last_autoanalyze_time(r.oid) AS last_autoanalyze,
       NULL::timestamptz AS last_seq_scan, r.last_idx_scan -- @before 16
       pg_stat_get_lastscan(r.oid) AS last_seq_scan, r.last_idx_scan -- @since 16
FROM r
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN k
LEFT JOIN a ON a.oid = r.oid;
