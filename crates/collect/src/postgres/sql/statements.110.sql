-- What did each statement cost since its entry exists? One row per entry. Extension 1.10 and newer, in the
-- database connected to, with its library loaded at the start of the server. Needs pg_read_all_stats:
-- entries of others have no identifier without it. Texts are not read, they are in a file of their own.
-- No LIMIT: what got slow today is not at the top of the totals. Times are zero while nobody measures
-- them: NULL then.
SELECT s.userid::int8 AS userid, s.dbid::int8 AS dbid, s.queryid, s.toplevel,
       0::float8 AS since, -- @before 111
       coalesce(extract(epoch FROM s.stats_since), 0)::float8 AS since, -- @since 111
       u.rolname = current_user AS own,
       coalesce(u.rolname::text, s.userid::text) AS role, coalesce(d.datname::text, s.dbid::text) AS database,
       s.calls, s.rows, s.total_exec_time AS exec_ms, s.max_exec_time AS max_exec_ms,
       s.stddev_exec_time AS stddev_exec_ms,
       CASE WHEN k.planning THEN s.total_plan_time END AS plan_ms,
       s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written,
       s.temp_blks_read, s.temp_blks_written,
       CASE WHEN k.timed THEN s.blk_read_time END AS blk_read_ms, -- @before 111
       CASE WHEN k.timed THEN s.blk_write_time END AS blk_write_ms, -- @before 111
       CASE WHEN k.timed THEN s.shared_blk_read_time + s.local_blk_read_time END AS blk_read_ms, -- @since 111
       CASE WHEN k.timed THEN s.shared_blk_write_time + s.local_blk_write_time END AS blk_write_ms, -- @since 111
       s.wal_records, s.wal_bytes::int8 AS wal_bytes,
       s.jit_generation_time + s.jit_inlining_time + s.jit_optimization_time + s.jit_emission_time AS jit_ms
FROM {schema}.pg_stat_statements(false) s
CROSS JOIN (SELECT current_setting('track_io_timing')::bool AS timed,
                   coalesce(current_setting('pg_stat_statements.track_planning', true)::bool, false) AS planning) k
LEFT JOIN pg_roles u ON u.oid = s.userid
LEFT JOIN pg_database d ON d.oid = s.dbid;
