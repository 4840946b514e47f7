-- Whose counters does this session see? One row, PostgreSQL 15 and newer, readable by everybody.
-- `lineage` as in `server`; `reset` is that of the database connected to: pg_stat_reset() moves it, and
-- so do the resets of single tables. It is empty until the first one and after a crash, which moves
-- the lineage instead.
SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                 (SELECT timeline_id FROM pg_control_checkpoint()),
                 (SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter)) AS lineage,
       coalesce(extract(epoch FROM stats_reset)::text, '-') AS reset
FROM pg_stat_database
WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database());
