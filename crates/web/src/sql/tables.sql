-- User tables as of the newest slow tick of their database; rates are of the step to the tick before,
-- unknown when the statistics were reset between them.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table tables, and id (the metrics' key). Rows: one per table.
-- Indexes: (host_id, ts) of each partition. One scan and two windows: a join of a tick with the tick
-- before is planned as a nested loop, as nobody knows how many tables there are.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest,
           extract(epoch FROM ts - lag(ts) OVER w)::float8 AS secs,
           seq_scan - lag(seq_scan) OVER w AS seq, idx_scan - lag(idx_scan) OVER w AS idx,
           n_tup_ins + n_tup_upd + n_tup_del - lag(n_tup_ins + n_tup_upd + n_tup_del) OVER w AS writes,
           heap_blks_hit + coalesce(idx_blks_hit, 0) - lag(heap_blks_hit + coalesce(idx_blks_hit, 0)) OVER w AS hit,
           heap_blks_read + coalesce(idx_blks_read, 0) - lag(heap_blks_read + coalesce(idx_blks_read, 0)) OVER w AS missed
    FROM collector.table_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    WINDOW w AS (PARTITION BY instance, database, schema_name, table_name, epoch ORDER BY ts)
)
SELECT instance || '.' || database || '.' || schema_name || '.' || table_name AS id,
       table_name, schema_name, total_bytes, index_bytes, toast_bytes, n_live_tup, n_dead_tup,
       CASE WHEN seq >= 0 THEN seq / secs END AS seq_scan_per_sec,
       CASE WHEN idx >= 0 THEN idx / secs END AS idx_scan_per_sec,
       CASE WHEN writes >= 0 THEN writes / secs END AS writes_per_sec,
       CASE WHEN hit >= 0 AND missed >= 0 THEN 100.0::float8 * hit / nullif(hit + missed, 0) END AS cache_hit_pct,
       greatest(last_vacuum, last_autovacuum) AS last_vacuum_ms,
       greatest(last_analyze, last_autoanalyze) AS last_analyze_ms,
       last_autovacuum AS last_autovacuum_ms, last_autoanalyze AS last_autoanalyze_ms,
       100.0::float8 * xid_age / 2147483647 AS xid_age_pct, database, instance
FROM read
WHERE ts = newest
