-- Tables that want a vacuum, why, and the command: dead rows beyond the table's own threshold, or
-- more than a tenth of at least a hundred live rows; old transaction ids (autovacuum forces a vacuum
-- at 200 million by default); autovacuum switched off for a table that has dead rows.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table vacuum_needed, id (the metrics' key), tag_why text[]. Rows: one per table.
-- Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, database, max(ts) AS ts
    FROM collector.table_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance, database
), judged AS (
    SELECT t.*, array_remove(ARRAY[
               CASE WHEN t.xid_age > 200000000 THEN 'wraparound' END,
               CASE WHEN t.n_dead_tup > t.vacuum_threshold THEN 'overdue' END,
               CASE WHEN t.n_live_tup > 100 AND t.n_dead_tup > 0.1 * t.n_live_tup THEN 'dead' END,
               CASE WHEN NOT t.autovacuum_enabled AND t.n_dead_tup > 0 THEN 'disabled' END], NULL) AS reasons
    FROM newest
    JOIN collector.table_metrics_raw t
      ON t.instance = newest.instance AND t.database = newest.database AND t.ts = newest.ts
    WHERE t.host_id = $1 AND t.ts >= $2 AND t.ts < $3
)
SELECT instance || '.' || database || '.' || schema_name || '.' || table_name AS id,
       table_name, schema_name,
       concat_ws('; ',
           CASE WHEN 'wraparound' = ANY (reasons) THEN 'old transaction ids: ' || xid_age / 1000000 || ' million' END,
           CASE WHEN 'overdue' = ANY (reasons) THEN 'beyond its threshold of ' || round(vacuum_threshold) || ' dead rows' END,
           CASE WHEN 'dead' = ANY (reasons) THEN 'dead rows are ' || 100 * n_dead_tup / n_live_tup || ' % of the live ones' END,
           CASE WHEN 'disabled' = ANY (reasons) THEN 'autovacuum is off for it' END,
           CASE WHEN greatest(last_vacuum, last_autovacuum) IS NULL THEN 'never vacuumed since statistics began' END) AS why,
       n_dead_tup, vacuum_threshold, greatest(last_vacuum, last_autovacuum) AS last_vacuum_ms,
       format(CASE WHEN 'wraparound' = ANY (reasons) THEN 'VACUUM (FREEZE, ANALYZE) %I.%I;' ELSE 'VACUUM (ANALYZE) %I.%I;' END,
              schema_name, table_name) AS command,
       total_bytes, database, instance, reasons AS tag_why
FROM judged
WHERE reasons <> '{}'
