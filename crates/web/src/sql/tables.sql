-- User tables as of the newest slow tick of their database.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table tables, and id (the metrics' key). Rows: one per table.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, database, max(ts) AS ts
    FROM collector.table_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance, database
)
SELECT t.instance || '.' || t.database || '.' || t.schema_name || '.' || t.table_name AS id,
       t.table_name, t.schema_name, t.total_bytes, t.index_bytes, t.toast_bytes, t.n_live_tup, t.n_dead_tup,
       greatest(t.last_vacuum, t.last_autovacuum) AS last_vacuum_ms,
       greatest(t.last_analyze, t.last_autoanalyze) AS last_analyze_ms,
       t.last_autovacuum AS last_autovacuum_ms, t.last_autoanalyze AS last_autoanalyze_ms,
       t.database, t.instance
FROM newest
JOIN collector.table_metrics_raw t
  ON t.instance = newest.instance AND t.database = newest.database AND t.ts = newest.ts
WHERE t.host_id = $1 AND t.ts >= $2 AND t.ts < $3
