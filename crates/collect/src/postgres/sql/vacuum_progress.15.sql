-- How far are the vacuums of this database? One row each; value: percent of the heap scanned. PostgreSQL
-- 15 and newer. Needs pg_read_all_stats, else only the process is shown. Before 17 the dead are counted, six
-- bytes each; the delay is known from 18 on, with track_cost_delay_timing.
SELECT coalesce(CASE WHEN p.relid <> 0 THEN p.relid::regclass::text END, p.pid::text) AS object,
       100 * p.heap_blks_scanned::float8 / nullif(p.heap_blks_total, 0) AS value,
       p.pid, p.phase, p.heap_blks_total, p.heap_blks_scanned, p.heap_blks_vacuumed, p.index_vacuum_count,
       num_dead_tuples * 6 AS dead_bytes, max_dead_tuples * 6 AS max_dead_bytes, -- @before 17
       NULL::int8 AS indexes_total, NULL::int8 AS indexes_processed, -- @before 17
       dead_tuple_bytes AS dead_bytes, max_dead_tuple_bytes AS max_dead_bytes, -- @since 17
       indexes_total, indexes_processed, -- @since 17
       NULL::float8 AS delay_ms, -- @before 18
       p.delay_time AS delay_ms, -- @since 18
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS running_secs,
       a.query LIKE 'autovacuum:%' AS is_auto, a.query LIKE '%(to prevent wraparound)' AS is_wraparound
FROM pg_stat_progress_vacuum p LEFT JOIN pg_stat_activity a USING (pid)
WHERE p.datname = current_database() ORDER BY running_secs DESC NULLS LAST;
