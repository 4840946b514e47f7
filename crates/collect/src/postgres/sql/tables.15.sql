-- How are the tables of this database used, how big are they, when were they vacuumed? At most 2000 rows,
-- the biggest and the busiest first; `found` counts all. PostgreSQL 15 and newer, readable by everybody.
-- As pg_stat_user_tables and pg_statio_user_tables tell it, by the functions these call: the views count
-- everything of every table before the first can be left out. Sizes come from the catalogue, as of the
-- last vacuum or analyze: the functions for exact ones wait for whoever holds a lock on the table.
-- Thresholds respect the table's own settings. Identifiers below 16384 are the server's own.
WITH x AS MATERIALIZED (
  SELECT i.indrelid, sum(greatest(c.relpages, 0))::int8 AS pages,
         sum(pg_stat_get_numscans(i.indexrelid))::int8 AS scans
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid >= 16384 GROUP BY i.indrelid),
t AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace, c.reloptions, c.reltuples, c.relfrozenxid,
         greatest(c.relpages, 0)::int8 AS heap_pages, coalesce(x.pages, 0) AS index_pages,
         coalesce(o.relpages, 0)::int8 + coalesce(ox.pages, 0) AS toast_pages,
         pg_stat_get_numscans(c.oid) AS seq_scan, x.scans AS idx_scan,
         pg_stat_get_numscans(c.oid) + coalesce(x.scans, 0) + pg_stat_get_tuples_inserted(c.oid)
           + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) AS uses
  FROM pg_class c
  LEFT JOIN x ON x.indrelid = c.oid
  LEFT JOIN pg_class o ON o.oid = c.reltoastrelid
  LEFT JOIN x ox ON ox.indrelid = c.reltoastrelid
  WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384),
places AS (
  SELECT b.oid, row_number() OVER () AS place
  FROM (SELECT oid FROM t ORDER BY heap_pages + index_pages + toast_pages DESC, oid LIMIT 2000) b
  UNION ALL
  SELECT b.oid, row_number() OVER () AS place FROM (SELECT oid FROM t ORDER BY uses DESC, oid LIMIT 2000) b),
r AS MATERIALIZED (
  SELECT t.*, (SELECT count(*) FROM t) AS found
  FROM (SELECT oid, min(place) AS place FROM places GROUP BY oid) p JOIN t USING (oid)
  ORDER BY p.place, oid LIMIT 2000)
SELECT n.nspname::text AS schema_name, r.relname::text AS table_name, r.found,
       (heap_pages + index_pages + toast_pages) * k.bs AS total_bytes,
       index_pages * k.bs AS index_bytes, toast_pages * k.bs AS toast_bytes,
       pg_stat_get_live_tuples(r.oid) AS n_live_tup, pg_stat_get_dead_tuples(r.oid) AS n_dead_tup,
       least(coalesce(a.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
               + coalesce(a.factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
                 * greatest(r.reltuples, 0),
             nullif(coalesce(a.most, current_setting('autovacuum_vacuum_max_threshold')::float8), -1) -- @since 18
             NULL -- @before 18
       ) AS vacuum_threshold,
       coalesce(a.enabled, true) AND current_setting('autovacuum')::bool AS autovacuum_enabled,
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
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs) k
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
