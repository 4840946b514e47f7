-- Tables that need a vacuum, why, and the command: dead rows beyond the table's own threshold, or
-- more than a tenth of at least a hundred live rows; old transaction ids (autovacuum forces a vacuum
-- at 200 million by default); autovacuum switched off for a table that has dead rows. Partitions are listed
-- individually, as each is vacuumed by itself.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table vacuum_needed, id (the metrics' key), tag_why text[]. Rows: one per table.
-- Indexes: (host_id, ts) of each partition.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest
    FROM collector.table_metrics_raw_all
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
      AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3 AND partitions IS NULL
), evaluated AS (
    SELECT *, array_remove(ARRAY[
               CASE WHEN xid_age > 200000000 THEN 'wraparound' END,
               CASE WHEN n_dead_tup > vacuum_threshold THEN 'overdue' END,
               CASE WHEN n_live_tup > 100 AND n_dead_tup > 0.1 * n_live_tup THEN 'dead' END,
               CASE WHEN NOT autovacuum_enabled AND n_dead_tup > 0 THEN 'disabled' END], NULL) AS reasons
    FROM read
    WHERE ts = newest
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
FROM evaluated
WHERE reasons <> '{}'
