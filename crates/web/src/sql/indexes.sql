-- User indexes as of the newest slow tick of their database; the rate is of the step to the tick before,
-- unknown when the statistics were reset between them. Indexes of partitions fold under the index of the
-- table at their root, which has no figures of its own.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table indexes, id (the metrics' key), tag_issue text[], sev_is_valid text.
-- Rows: one per index. Indexes: (host_id, ts) of each partition.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest,
           extract(epoch FROM ts - lag(ts) OVER w)::float8 AS secs, {step idx_scan} AS scans
    FROM collector.index_metrics_raw_all
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
      AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3
    WINDOW w AS (PARTITION BY instance, database, schema_name, index_name, epoch ORDER BY ts)
), folded AS (
    SELECT instance, database, coalesce(partition_of, schema_name || '.' || index_name) AS place,
           partition_of IS NOT NULL AS is_folded, min(schema_name) AS schema_name, min(index_name) AS index_name,
           min(table_name) AS table_name, count(*) AS parts,
           CASE WHEN count(*) = count(size_bytes) THEN sum(size_bytes) END::int8 AS size_bytes,
           sum(scans / secs)::float8 AS scans_per_sec,
           sum(idx_scan)::int8 AS idx_scan, max(last_idx_scan) AS last_scan_ms,
           bool_or(is_unique) AS is_unique, bool_or(is_needed) AS is_needed, bool_and(is_valid) AS is_valid,
           min(definition) AS definition
    FROM read
    WHERE ts = newest
    GROUP BY instance, database, place, is_folded
)
SELECT instance || '.' || database || '.' || place AS id,
       CASE WHEN is_folded THEN substr(place, strpos(place, '.') + 1) ELSE index_name END AS index_name,
       CASE WHEN is_folded THEN parts || ' partitions' ELSE table_name END AS table_name,
       CASE WHEN is_folded THEN split_part(place, '.', 1) ELSE schema_name END AS schema_name,
       size_bytes, scans_per_sec, idx_scan, last_scan_ms, is_unique, is_needed, is_valid, definition,
       database, instance,
       CASE WHEN NOT is_valid THEN 'warn' END AS sev_is_valid,
       array_remove(ARRAY[CASE WHEN idx_scan = 0 AND NOT is_needed THEN 'unused' END,
                          CASE WHEN NOT is_valid THEN 'invalid' END], NULL) AS tag_issue
FROM folded
