-- Which sessions are worth a look? At most 200 rows, those in each other's way first; PostgreSQL 15
-- and newer. Needs pg_read_all_stats. A session is worth a look when it runs for more than 5 s, stands
-- idle in a transaction for more than a minute, waits for a lock, or blocks one that does. Who blocks
-- whom is asked only of sessions that wait, and of at most 100: each question takes every partition of
-- the lock table. `blockers` holds 0 for a prepared transaction. The tree is built by the caller: its
-- paths, listed here, would be as many as two to the power of those that wait for one lock.
WITH a AS MATERIALIZED (
  SELECT pid, datname, usename, application_name, state, wait_event_type, wait_event, query,
         extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start
                                                     ELSE state_change END)::float8 AS query_secs,
         extract(epoch FROM clock_timestamp() - xact_start)::float8 AS xact_secs
  FROM pg_stat_activity
  WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'parallel worker')),
w AS MATERIALIZED (
  SELECT pid, pg_blocking_pids(pid) AS blockers
  FROM (SELECT pid FROM a WHERE wait_event_type = 'Lock' ORDER BY query_secs DESC LIMIT 100) waiting)
SELECT a.pid, coalesce(a.datname::text, '') AS database, coalesce(a.usename::text, '') AS role,
       coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state,
       coalesce(a.wait_event_type || ':' || a.wait_event, '') AS wait,
       a.query_secs, a.xact_secs, coalesce(a.query, '') AS query,
       coalesce(w.blockers, '{}') AS blockers
FROM a LEFT JOIN w USING (pid)
WHERE cardinality(w.blockers) > 0
   OR a.pid IN (SELECT unnest(blockers) FROM w)
   OR (a.state = 'active' AND a.query_secs > 5)
   OR (a.state LIKE 'idle in transaction%' AND a.query_secs > 60)
ORDER BY cardinality(w.blockers) > 0 OR a.pid IN (SELECT unnest(blockers) FROM w) DESC NULLS LAST,
         a.query_secs DESC NULLS LAST
LIMIT 200;
