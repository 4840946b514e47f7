-- Results of the checks of each server at its newest slow tick. Settings and unused indexes have separate
-- tables.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table checks, id, sev_check_name text, tag_check_name text.
-- Rows: one per check and object. Indexes: (host_id, ts) of each partition.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_check_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    GROUP BY instance
), lives AS (
    -- Since when an index is watched, at least: see unused_indexes.sql.
    SELECT DISTINCT ON (instance, database, place) instance, database, place, first_seen
    FROM (SELECT instance, database, schema_name || '.' || index_name AS place, relation,
                 min(ts) AS first_seen, max(ts) AS last_seen
          FROM collector.index_sightings
          WHERE host_id = $1 AND ts < $3
          GROUP BY instance, database, place, relation) s
    ORDER BY instance, database, place, last_seen DESC, first_seen DESC
), words (name, label, unit, severity, advice) AS (VALUES
    ('archive_pending', 'WAL waiting for the archive', 'files', NULL, 'See whether archiving fails, and the space of pg_wal.'),
    ('autovacuum_queue', 'Tables waiting for autovacuum', 'percent of the threshold', NULL, 'A long queue wants more autovacuum_max_workers or a higher cost limit.'),
    ('autovacuum_workers', 'Autovacuum at work', 'workers', NULL, ''),
    ('checkpoint_pressure', 'WAL since the last checkpoint', 'percent of max_wal_size', NULL, 'Raise max_wal_size when most checkpoints are requested ones.'),
    ('collation_mismatch', 'Collation of another version', '', 'warn', 'REINDEX what uses it, then ALTER DATABASE or COLLATION … REFRESH VERSION.'),
    ('connection_saturation', 'Connections by role and database', 'percent', NULL, 'Raise the limit, or use a pool.'),
    ('duplicate_indexes', 'Duplicate indexes', 'bytes', 'info', 'Drop the redundant one with DROP INDEX CONCURRENTLY.'),
    ('fk_without_index', 'Foreign keys without index', 'bytes', 'info', 'Each delete of the referenced row scans the table: create an index.'),
    ('index_bloat_exact', 'Density of indexes', 'percent', NULL, 'Far below 90 percent: REINDEX INDEX CONCURRENTLY.'),
    ('invalid_indexes', 'Invalid indexes', 'bytes', 'warn', 'REINDEX INDEX CONCURRENTLY, if no build of it is running.'),
    ('logical_lag', 'Logical consumers lagging', 'bytes', NULL, 'See the subscriber.'),
    ('missing_replica_identity', 'Published tables without replica identity', 'rows', 'warn', 'Updates and deletes fail: add a primary key, or ALTER TABLE … REPLICA IDENTITY.'),
    ('prepared_xacts', 'Prepared transactions left open', 'secs', 'warn', 'COMMIT PREPARED or ROLLBACK PREPARED.'),
    ('recovery_conflicts', 'Statements cancelled by replay', 'statements', NULL, 'hot_standby_feedback, or a longer max_standby_streaming_delay.'),
    ('sequences', 'Sequences by use', 'percent', NULL, 'ALTER the column to bigint before the sequence ends.'),
    ('slot_retention', 'WAL kept by slots', 'bytes', NULL, 'Bring the consumer back, or drop the slot.'),
    ('table_bloat', 'Bloated tables', 'bytes', NULL, 'VACUUM FULL in a quiet hour, or pg_repack.'),
    ('table_bloat_exact', 'Bloat of tables, looked at', 'percent', NULL, 'VACUUM FULL in a quiet hour, or pg_repack.'),
    ('temp_dir', 'Temporary files now', 'bytes', NULL, ''),
    ('temp_files', 'Temporary files since the reset', 'bytes', NULL, 'Raise work_mem for what writes them.'),
    ('vacuum_progress', 'Vacuums at work', 'percent', NULL, ''),
    ('wal_dir', 'Size of pg_wal', 'bytes', NULL, ''),
    ('wraparound', 'Transaction IDs by database', 'transactions', NULL, 'VACUUM (FREEZE) the oldest tables.'),
    ('wraparound_tables', 'Transaction IDs by table', 'transactions', NULL, 'VACUUM (FREEZE) them.'),
    ('xmin_horizon', 'What holds back vacuum', 'transactions', NULL, 'End the session, finish the prepared transaction, or drop the slot.')
), sizes (of_unit, size, word) AS (VALUES
    ('bytes', 1::float8, 'B'), ('bytes', 1024, 'KiB'), ('bytes', 1048576, 'MiB'), ('bytes', 1073741824, 'GiB'),
    ('bytes', 1099511627776, 'TiB'), ('secs', 1, 's'), ('secs', 120, 'min'), ('secs', 7200, 'h'), ('secs', 172800, 'd')
)
SELECT concat_ws('.', c.instance, c.database, c.check_name, c.object) AS id,
       coalesce(w.label, c.check_name) AS check_name, c.object,
       -- With its unit, in the greatest size that leaves something before the point; spans of time from two on.
       coalesce((SELECT trim_scale(round((c.value / CASE of_unit WHEN 'secs' THEN greatest(size / 2, 1) ELSE size END)::numeric, 1))
                        || ' ' || word
                 FROM sizes WHERE of_unit = w.unit AND (c.value >= size OR size = 1) ORDER BY size DESC LIMIT 1),
                trim_scale(round(c.value::numeric, 1)) || coalesce(' ' || replace(nullif(w.unit, ''), 'percent', '%'), '')) AS value,
       (SELECT string_agg(replace(d.key, '_', ' ') || ' ' || d.value, ', ' ORDER BY d.key)
        FROM jsonb_each_text(CASE WHEN jsonb_typeof(c.detail) = 'object' THEN c.detail END) d
        WHERE d.value <> '') AS detail,
       CASE WHEN c.check_name = 'duplicate_indexes' AND (l.first_seen IS NULL OR c.ts - l.first_seen < interval '14 days')
            THEN 'Keep it until it was watched for 14 days.'
            ELSE coalesce(w.advice, '') END AS advice, c.database, c.instance,
       -- Sequences are by their share in percent: at 75 there is time to alter the column, at 90 little.
       CASE WHEN c.check_name = 'duplicate_indexes' AND (l.first_seen IS NULL OR c.ts - l.first_seen < interval '14 days')
            THEN NULL
            WHEN c.check_name = 'sequences' AND c.value >= 90 THEN 'critical'
            WHEN c.check_name = 'sequences' AND c.value >= 75 THEN 'warn'
            ELSE w.severity END AS sev_check_name,
       coalesce(w.label, c.check_name) AS tag_check_name
FROM newest
JOIN collector.db_check_raw c ON c.instance = newest.instance AND c.ts = newest.ts
LEFT JOIN words w ON w.name = c.check_name
LEFT JOIN lives l ON l.instance = c.instance AND l.database = c.database AND l.place = c.object
                 AND c.check_name = 'duplicate_indexes'
WHERE c.host_id = $1 AND c.ts >= $2 AND c.ts < $3 AND c.check_name NOT IN ('settings', 'unused_indexes')
