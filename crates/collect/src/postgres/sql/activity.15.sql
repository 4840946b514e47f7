-- What do the sessions of clients do, and what do they wait for? One row, PostgreSQL 15 and newer.
-- Needs pg_read_all_stats. Without it the sessions of other roles are in the view with every column of
-- interest NULL: they are counted in `conn_hidden`, and the caller takes nothing else from this row.
-- Backends are never filtered by type in WHERE for that reason. Ours are left out by their name, which
-- is the name of the agent's own sessions. BufferPin is called Buffer from 19 on.
SELECT count(*) FILTER (WHERE hidden) AS conn_hidden,
       count(*) FILTER (WHERE client) AS conn_total,
       count(*) FILTER (WHERE client AND state = 'active') AS conn_active,
       count(*) FILTER (WHERE client AND state = 'idle') AS conn_idle,
       count(*) FILTER (WHERE client AND in_xact) AS conn_idle_in_xact,
       count(*) FILTER (WHERE client AND wait_event_type = 'Lock') AS conn_waiting,
       count(*) FILTER (WHERE client AND state = 'active' AND query_secs > 5) AS slow_queries,
       coalesce(max(query_secs) FILTER (WHERE client AND state = 'active'), 0) AS longest_query_secs,
       coalesce(max(xact_secs) FILTER (WHERE client), 0) AS oldest_xact_secs,
       coalesce(max(state_secs) FILTER (WHERE client AND in_xact), 0) AS oldest_idle_in_xact_secs,
       coalesce(max(age(backend_xmin)), 0)::int8 AS oldest_xmin_age,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'Activity') AS wait_activity,
       count(*) FILTER (WHERE at_work AND wait_event_type IN ('BufferPin', 'Buffer')) AS wait_bufferpin,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'Client') AS wait_client,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'Extension') AS wait_extension,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'IO') AS wait_io,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'IPC') AS wait_ipc,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'Lock') AS wait_lock,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'LWLock') AS wait_lwlock,
       count(*) FILTER (WHERE at_work AND wait_event_type = 'Timeout') AS wait_timeout,
       count(*) FILTER (WHERE at_work AND wait_event_type IS NULL) AS wait_none
FROM (SELECT state, wait_event_type, backend_xmin,
             query = '<insufficient privilege>' AS hidden,
             backend_type = 'client backend' AS client,
             backend_type IN ('client backend', 'parallel worker') AND state <> 'idle' AS at_work,
             state LIKE 'idle in transaction%' AS in_xact,
             extract(epoch FROM clock_timestamp() - query_start)::float8 AS query_secs,
             extract(epoch FROM clock_timestamp() - xact_start)::float8 AS xact_secs,
             extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_secs
      FROM pg_stat_activity
      WHERE pid <> pg_backend_pid()
        AND coalesce(application_name, '') NOT LIKE 'pqcrypta-collector%') s;
