-- How are the tables of this database used, how big are they, when were they vacuumed? At most 2000 rows,
-- the biggest and the busiest first; `found` counts all. PostgreSQL 15 and newer, readable by everybody.
-- As pg_stat_user_tables and pg_statio_user_tables tell it, by the functions these call: the views count
-- everything of every table before the first can be left out.
-- Sizes come from the catalogue, as of the last vacuum or analyze. Where there was none, or a tenth as many
-- rows came since, they come from the files; but never of what somebody holds or awaits a lock on that
-- excludes everything, as asking would wait: unknown then.
-- A partitioned table has the sizes and rows of all its partitions, whether they are among the rows or not;
-- a partition names the table at the root in `partition_of`.
-- Thresholds respect the table's own settings. Identifiers below 16384 are the server's own.
WITH RECURSIVE parts AS (
  SELECT oid AS part, oid AS root FROM pg_class WHERE relkind = 'p' AND NOT relispartition
  UNION ALL
  SELECT i.inhrelid, p.root FROM parts p JOIN pg_inherits i ON i.inhparent = p.part),
held AS MATERIALIZED (
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
k AS MATERIALIZED (SELECT current_setting('block_size')::int8 AS bs),
h AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace, c.reloptions, c.reltuples, c.relfrozenxid, c.relkind, p.root,
         c.relpages, c.reltoastrelid, c.oid IN (SELECT relation FROM held) AS is_held,
         c.reltuples < 0 OR least(pg_stat_get_ins_since_vacuum(c.oid), pg_stat_get_mod_since_analyze(c.oid))
                            > 0.1 * greatest(c.reltuples, 0) AS is_old
  FROM pg_class c LEFT JOIN parts p ON p.part = c.oid
  WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
    AND c.relnamespace <> {own}),
e AS (
  SELECT h.oid AS heap, 'heap' AS part, h.oid AS rel, h.relpages, h.is_old, h.is_held
  FROM h WHERE h.relkind <> 'p'
  UNION ALL
  SELECT h.oid, 'index', i.indexrelid, c.relpages, h.is_old OR c.reltuples < 0, h.is_held
  FROM h JOIN pg_index i ON i.indrelid = h.oid JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
  UNION ALL
  SELECT h.oid, 'toast', o.oid, o.relpages, h.is_old OR o.reltuples < 0, h.is_held
  FROM h JOIN pg_class o ON o.oid = h.reltoastrelid
  UNION ALL
  SELECT h.oid, 'toast', c.oid, c.relpages, h.is_old OR o.reltuples < 0 OR c.reltuples < 0, h.is_held
  FROM h JOIN pg_class o ON o.oid = h.reltoastrelid
  JOIN pg_index i ON i.indrelid = o.oid JOIN pg_class c ON c.oid = i.indexrelid),
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
x AS MATERIALIZED (
  SELECT indrelid, sum(pg_stat_get_numscans(indexrelid))::int8 AS scans
  FROM pg_index WHERE indrelid >= 16384 GROUP BY indrelid),
f AS MATERIALIZED (
  SELECT h.root, count(*) AS partitions, CASE WHEN count(*) = count(s.total) THEN sum(s.total) END::int8 AS total,
         CASE WHEN count(*) = count(s.indexes) THEN sum(s.indexes) END::int8 AS indexes,
         CASE WHEN count(*) = count(s.toast) THEN sum(s.toast) END::int8 AS toast,
         sum(pg_stat_get_live_tuples(h.oid))::int8 AS live
  FROM h JOIN s ON s.heap = h.oid WHERE h.root IS NOT NULL AND h.relkind <> 'p' GROUP BY h.root),
t AS MATERIALIZED (
  SELECT h.*, h.relkind = 'p' AND h.oid = h.root AS is_root, f.partitions, f.live,
         -- What is above partitions has no file of its own, nor has a root without partitions anything.
         CASE WHEN h.relkind <> 'p' THEN s.total WHEN f.root IS NULL THEN 0 ELSE f.total END AS total,
         CASE WHEN h.relkind <> 'p' THEN s.indexes WHEN f.root IS NULL THEN 0 ELSE f.indexes END AS indexes,
         CASE WHEN h.relkind <> 'p' THEN s.toast WHEN f.root IS NULL THEN 0 ELSE f.toast END AS toast,
         pg_stat_get_numscans(h.oid) AS seq_scan, x.scans AS idx_scan,
         pg_stat_get_numscans(h.oid) + coalesce(x.scans, 0) + pg_stat_get_tuples_inserted(h.oid)
           + pg_stat_get_tuples_updated(h.oid) + pg_stat_get_tuples_deleted(h.oid) AS uses
  FROM h
  LEFT JOIN s ON s.heap = h.oid
  LEFT JOIN f ON f.root = h.oid
  LEFT JOIN x ON x.indrelid = h.oid),
places AS (
  SELECT b.oid, row_number() OVER () AS place
  FROM (SELECT oid FROM t ORDER BY total DESC NULLS LAST, oid LIMIT 2000) b
  UNION ALL
  SELECT b.oid, row_number() OVER () AS place FROM (SELECT oid FROM t ORDER BY uses DESC, oid LIMIT 2000) b),
r AS MATERIALIZED (
  SELECT t.*, (SELECT count(*) FROM t) AS found
  FROM (SELECT oid, min(place) AS place FROM places GROUP BY oid) p JOIN t USING (oid)
  ORDER BY p.place, oid LIMIT 2000)
SELECT n.nspname::text AS schema_name, r.relname::text AS table_name, r.found,
       CASE WHEN NOT r.is_root THEN (SELECT pn.nspname || '.' || pc.relname
                                     FROM pg_class pc JOIN pg_namespace pn ON pn.oid = pc.relnamespace
                                     WHERE pc.oid = r.root) END AS partition_of,
       CASE WHEN r.is_root THEN coalesce(r.partitions, 0) END AS partitions,
       total AS total_bytes, indexes AS index_bytes, toast AS toast_bytes,
       CASE WHEN r.is_root THEN coalesce(r.live, 0) ELSE pg_stat_get_live_tuples(r.oid) END AS n_live_tup,
       CASE WHEN r.relkind <> 'p' THEN pg_stat_get_dead_tuples(r.oid) END AS n_dead_tup,
       CASE WHEN r.relkind <> 'p' THEN
       least(coalesce(a.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
               + coalesce(a.factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
                 * greatest(r.reltuples, 0),
             nullif(coalesce(a.most, current_setting('autovacuum_vacuum_max_threshold')::float8), -1) -- @since 18
             NULL -- @before 18
       ) END AS vacuum_threshold,
       CASE WHEN r.relkind <> 'p'
            THEN coalesce(a.enabled, true) AND current_setting('autovacuum')::bool END AS autovacuum_enabled,
       pg_stat_get_mod_since_analyze(r.oid) AS n_mod_since_analyze,
       pg_stat_get_ins_since_vacuum(r.oid) AS n_ins_since_vacuum,
       CASE WHEN r.relfrozenxid <> '0'::xid THEN age(r.relfrozenxid)::int8 END AS xid_age,
       r.seq_scan, pg_stat_get_tuples_returned(r.oid) AS seq_tup_read, r.idx_scan,
       i.fetched + pg_stat_get_tuples_fetched(r.oid) AS idx_tup_fetch,
       pg_stat_get_tuples_inserted(r.oid) AS n_tup_ins, pg_stat_get_tuples_updated(r.oid) AS n_tup_upd,
       pg_stat_get_tuples_deleted(r.oid) AS n_tup_del,
       pg_stat_get_tuples_hot_updated(r.oid) AS n_tup_hot_upd,
       pg_stat_get_blocks_fetched(r.oid) - pg_stat_get_blocks_hit(r.oid) AS heap_blks_read,
       pg_stat_get_blocks_hit(r.oid) AS heap_blks_hit,
       i.blocks - i.hits AS idx_blks_read, i.hits AS idx_blks_hit,
       pg_stat_get_vacuum_count(r.oid) AS vacuum_count,
       pg_stat_get_autovacuum_count(r.oid) AS autovacuum_count,
       pg_stat_get_autoanalyze_count(r.oid) AS autoanalyze_count,
       pg_stat_get_last_vacuum_time(r.oid) AS last_vacuum,
       pg_stat_get_last_autovacuum_time(r.oid) AS last_autovacuum,
       pg_stat_get_last_analyze_time(r.oid) AS last_analyze,
       pg_stat_get_last_autoanalyze_time(r.oid) AS last_autoanalyze,
       NULL::timestamptz AS last_seq_scan, i.last_idx_scan -- @before 16
       pg_stat_get_lastscan(r.oid) AS last_seq_scan, i.last_idx_scan -- @since 16
FROM r
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN LATERAL (
  SELECT max(value) FILTER (WHERE name = 'autovacuum_vacuum_threshold')::float8 AS threshold,
         max(value) FILTER (WHERE name = 'autovacuum_vacuum_scale_factor')::float8 AS factor,
         max(value) FILTER (WHERE name = 'autovacuum_vacuum_max_threshold')::float8 AS most, -- @since 18
         bool_and(value::bool) FILTER (WHERE name = 'autovacuum_enabled') AS enabled
  FROM pg_options_to_table(r.reloptions) o (name, value)) a
LEFT JOIN (
  SELECT indrelid, sum(pg_stat_get_tuples_fetched(indexrelid))::int8 AS fetched,
         sum(pg_stat_get_blocks_fetched(indexrelid))::int8 AS blocks,
         sum(pg_stat_get_blocks_hit(indexrelid))::int8 AS hits,
         NULL::timestamptz AS last_idx_scan -- @before 16
         max(pg_stat_get_lastscan(indexrelid)) AS last_idx_scan -- @since 16
  FROM pg_index WHERE indrelid IN (SELECT oid FROM r) GROUP BY indrelid) i ON i.indrelid = r.oid;
