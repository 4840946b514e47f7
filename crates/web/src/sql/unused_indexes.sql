-- Indexes that have not been scanned since counting began and that nothing needs. One is notable above
-- 1 MiB. Dropping it is advised when its scans were counted, and it was watched itself, for 14 days or
-- more: two weeks hold two of everything that comes once a week. Where that is unknown there is no
-- advice. An index may still serve a standby alone, or a yearly report.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table unused_indexes, id (the metrics' key), sev_size_bytes text. Rows: one per index.
-- Indexes: (host_id, ts) of each partition.
WITH read AS (
    SELECT *, max(ts) OVER (PARTITION BY instance, database) AS newest
    FROM collector.index_metrics_raw_all
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
      AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3
), sightings AS (
    SELECT instance, database, schema_name, index_name, relation, min(ts) AS first_seen, max(ts) AS last_seen
    FROM collector.index_sightings
    WHERE host_id = $1 AND ts < $3
    GROUP BY instance, database, schema_name, index_name, relation
), lives AS (
    -- One that was made anew under its name is as old as its last making.
    SELECT DISTINCT ON (instance, database, schema_name, index_name)
           instance, database, schema_name, index_name, first_seen
    FROM sightings
    ORDER BY instance, database, schema_name, index_name, last_seen DESC, first_seen DESC
), unused AS (
    SELECT read.*, lives.first_seen, least(ts - counted_since, ts - first_seen) AS watched,
           counted_since IS NOT NULL AND first_seen IS NOT NULL
             AND ts - counted_since >= interval '14 days' AND ts - first_seen >= interval '14 days' AS is_sure
    FROM read
    LEFT JOIN lives USING (instance, database, schema_name, index_name)
    WHERE ts = newest AND idx_scan = 0 AND NOT is_needed
)
SELECT instance || '.' || database || '.' || schema_name || '.' || index_name AS id,
       index_name, table_name, schema_name, size_bytes, idx_scan,
       counted_since AS counted_since_ms, extract(epoch FROM ts - counted_since)::float8 AS counted_secs,
       first_seen AS first_seen_ms, last_idx_scan AS last_scan_ms,
       CASE WHEN is_sure THEN format('DROP INDEX CONCURRENTLY %I.%I;', schema_name, index_name) END AS command,
       CASE WHEN is_sure THEN 'Not scanned for ' || extract(day FROM watched) || ' days: drop it unless a standby or a rare report needs it.'
            WHEN counted_since IS NULL OR first_seen IS NULL
            THEN 'Keep it: since when its scans are counted is not known.'
            ELSE 'Keep it: watched for ' || extract(day FROM watched) || ' of 14 days.' END AS advice,
       definition, database, instance,
       CASE WHEN is_sure AND size_bytes > 1048576 THEN 'info' END AS sev_size_bytes
FROM unused
