-- Which cluster is this, on which timeline? One row, PostgreSQL 15 and newer, readable by everybody. Another
-- server behind the same address has other counters.
SELECT concat_ws('/', s.system_identifier, c.timeline_id) AS reset
FROM pg_control_system() s, pg_control_checkpoint() c;
