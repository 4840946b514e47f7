-- User tables as of the newest slow tick of their database; rates are of the step to the tick before,
-- unknown when the statistics were reset between them. Partitions fold under the table at their root, which
-- has their sizes and live rows as the server adds them up; everything else is added up here.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table tables, and id (the metrics' key). Rows: one per table.
-- Indexes: (host_id, ts) of each partition. One scan and two windows: a join of a tick with the tick
-- before is planned as a nested loop, as the planner does not know how many tables there are.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest,
           extract(epoch FROM ts - lag(ts) OVER w)::float8 AS secs,
           {step seq_scan} AS seq, {step idx_scan} AS idx,
           {step n_tup_ins + n_tup_upd + n_tup_del} AS writes,
           {step heap_blks_hit + coalesce(idx_blks_hit, 0)} AS hit,
           {step heap_blks_read + coalesce(idx_blks_read, 0)} AS missed
    FROM collector.table_metrics_raw_all
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
      AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3
    WINDOW w AS (PARTITION BY instance, database, schema_name, table_name, epoch ORDER BY ts)
), folded AS (
    SELECT instance, database, coalesce(partition_of, schema_name || '.' || table_name) AS place,
           max(schema_name) FILTER (WHERE partition_of IS NULL) AS schema_name,
           max(table_name) FILTER (WHERE partition_of IS NULL) AS table_name,
           max(partitions) AS partitions,
           -- Of a partition whose root is not among the rows, what there is of it.
           CASE WHEN bool_or(partition_of IS NULL) THEN sum(total_bytes) FILTER (WHERE partition_of IS NULL)
                ELSE sum(total_bytes) END::int8 AS total_bytes,
           CASE WHEN bool_or(partition_of IS NULL) THEN sum(index_bytes) FILTER (WHERE partition_of IS NULL)
                ELSE sum(index_bytes) END::int8 AS index_bytes,
           CASE WHEN bool_or(partition_of IS NULL) THEN sum(toast_bytes) FILTER (WHERE partition_of IS NULL)
                ELSE sum(toast_bytes) END::int8 AS toast_bytes,
           CASE WHEN bool_or(partition_of IS NULL) THEN sum(n_live_tup) FILTER (WHERE partition_of IS NULL)
                ELSE sum(n_live_tup) END::int8 AS n_live_tup,
           sum(n_dead_tup)::int8 AS n_dead_tup,
           sum(seq / secs) AS seq_scan_per_sec,
           sum(idx / secs) AS idx_scan_per_sec,
           sum(writes / secs) AS writes_per_sec,
           sum(hit) FILTER (WHERE hit IS NOT NULL AND missed IS NOT NULL) AS hit,
           sum(missed) FILTER (WHERE hit IS NOT NULL AND missed IS NOT NULL) AS missed,
           max(greatest(last_vacuum, last_autovacuum)) AS last_vacuum_ms,
           max(greatest(last_analyze, last_autoanalyze)) AS last_analyze_ms,
           max(last_autovacuum) AS last_autovacuum_ms, max(last_autoanalyze) AS last_autoanalyze_ms,
           max(xid_age) AS xid_age
    FROM read
    WHERE ts = newest
    GROUP BY instance, database, place
)
SELECT instance || '.' || database || '.' || place AS id,
       coalesce(table_name, place) AS table_name, coalesce(schema_name, split_part(place, '.', 1)) AS schema_name,
       partitions, total_bytes, index_bytes, toast_bytes, n_live_tup, n_dead_tup,
       -- As the metric has it for one table.
       CASE WHEN n_live_tup + n_dead_tup >= 2500
            THEN 100.0::float8 * n_dead_tup / (n_live_tup + n_dead_tup) END AS dead_pct,
       seq_scan_per_sec::float8 AS seq_scan_per_sec, idx_scan_per_sec::float8 AS idx_scan_per_sec,
       writes_per_sec::float8 AS writes_per_sec,
       (100.0 * hit / nullif(hit + missed, 0))::float8 AS cache_hit_pct,
       last_vacuum_ms, last_analyze_ms, last_autovacuum_ms, last_autoanalyze_ms,
       100.0::float8 * xid_age / 2147483647 AS xid_age_pct, database, instance
FROM folded
