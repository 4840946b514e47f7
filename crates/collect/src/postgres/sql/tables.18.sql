-- How are the tables of this database used, how big are they, when were they vacuumed? At most 2000 rows,
-- the biggest and the busiest first; `found` counts all. PostgreSQL 18 and newer, readable by everybody.
-- Sizes come from the catalogue, as of the last vacuum or analyze: the functions for exact ones wait
-- for whoever holds a lock on the table. Thresholds respect the table's own settings.
WITH i AS MATERIALIZED (
  SELECT x.indrelid, sum(c.relpages)::int8 AS pages
  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid GROUP BY x.indrelid),
t AS (
  SELECT s.*, c.reltuples, c.reloptions, c.relfrozenxid, greatest(c.relpages, 0)::int8 AS heap_pages,
         coalesce(i.pages, 0) AS index_pages,
         coalesce(o.relpages, 0)::int8 + coalesce(oi.pages, 0) AS toast_pages
  FROM pg_stat_user_tables s
  JOIN pg_class c ON c.oid = s.relid
  LEFT JOIN i ON i.indrelid = c.oid
  LEFT JOIN pg_class o ON o.oid = c.reltoastrelid
  LEFT JOIN i oi ON oi.indrelid = c.reltoastrelid
  WHERE c.relpersistence <> 't'),
ranked AS (
  SELECT t.*, count(*) OVER () AS found,
         row_number() OVER (ORDER BY heap_pages + index_pages + toast_pages DESC, relid) AS big,
         row_number() OVER (ORDER BY coalesce(seq_scan, 0) + coalesce(idx_scan, 0)
                                     + n_tup_ins + n_tup_upd + n_tup_del DESC, relid) AS busy
  FROM t),
chosen AS MATERIALIZED (SELECT * FROM ranked ORDER BY least(big, busy), big LIMIT 2000)
SELECT r.schemaname::text AS schema_name, r.relname::text AS table_name, r.found,
       (heap_pages + index_pages + toast_pages) * k.bs AS total_bytes,
       index_pages * k.bs AS index_bytes, toast_pages * k.bs AS toast_bytes,
       r.n_live_tup, r.n_dead_tup,
       least(coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(r.reloptions) x
                  WHERE x LIKE 'autovacuum_vacuum_threshold=%'), current_setting('autovacuum_vacuum_threshold')::float8)
         + coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(r.reloptions) x
                  WHERE x LIKE 'autovacuum_vacuum_scale_factor=%'), current_setting('autovacuum_vacuum_scale_factor')::float8)
           * greatest(r.reltuples, 0),
         nullif(coalesce((SELECT split_part(x, '=', 2)::float8 FROM unnest(r.reloptions) x
                  WHERE x LIKE 'autovacuum_vacuum_max_threshold=%'), current_setting('autovacuum_vacuum_max_threshold')::float8), -1)) AS vacuum_threshold,
       coalesce((SELECT split_part(x, '=', 2)::bool FROM unnest(r.reloptions) x
                 WHERE x LIKE 'autovacuum_enabled=%'), true)
         AND current_setting('autovacuum')::bool AS autovacuum_enabled,
       r.n_mod_since_analyze, r.n_ins_since_vacuum,
       CASE WHEN r.relfrozenxid <> '0'::xid THEN age(r.relfrozenxid)::int8 END AS xid_age,
       r.seq_scan, r.seq_tup_read, r.idx_scan, r.idx_tup_fetch,
       r.n_tup_ins, r.n_tup_upd, r.n_tup_del, r.n_tup_hot_upd,
       io.heap_blks_read, io.heap_blks_hit, io.idx_blks_read, io.idx_blks_hit,
       r.vacuum_count, r.autovacuum_count, r.autoanalyze_count,
       r.last_vacuum, r.last_autovacuum, r.last_analyze, r.last_autoanalyze,
       r.last_seq_scan, r.last_idx_scan
FROM chosen r
CROSS JOIN (SELECT current_setting('block_size')::int8 AS bs) k
LEFT JOIN pg_statio_user_tables io ON io.relid = r.relid;
