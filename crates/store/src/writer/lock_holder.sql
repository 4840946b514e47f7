-- The holder of a host's lock.
-- $1 class int4, $2 host_id int4.
-- Rows: at most one: server process int4, application name text, connected since text.
SELECT l.pid, a.application_name, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = $1::int4::bigint AND l.objid::bigint = $2::int4::bigint
