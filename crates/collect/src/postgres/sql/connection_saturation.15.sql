-- Which limits of connections are nearly reached? One row for the server and one per database and role
-- with a limit of its own; value: percent used. PostgreSQL 15 and newer. Of roles only sessions that
-- pg_read_all_stats shows are counted.
SELECT object, 100 * used::float8 / nullif(allowed, 0) AS value, used, allowed
FROM (
  SELECT 'server' AS object, sum(numbackends)::int8 AS used,
         current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
           - coalesce(current_setting('reserved_connections', true)::int8, 0) AS allowed
  FROM pg_stat_database
  UNION ALL
  SELECT 'database ' || d.datname, s.numbackends, d.datconnlimit
  FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datconnlimit > 0
  UNION ALL
  SELECT 'role ' || r.rolname, count(a.pid), r.rolconnlimit
  FROM pg_roles r LEFT JOIN pg_stat_activity a ON a.usesysid = r.oid AND a.backend_type = 'client backend'
  WHERE r.rolconnlimit > 0 GROUP BY r.rolname, r.rolconnlimit) l
ORDER BY value DESC NULLS LAST;
