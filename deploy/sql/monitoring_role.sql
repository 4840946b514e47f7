-- A role that may watch a PostgreSQL server and nothing else, for [[postgres]] in the configuration.
--
--   psql -d DATABASE -f monitoring_role.sql
--
-- Run it as a superuser in each database that is watched, the one of the address first: rights on
-- functions hold in the database where they are given. It may be run again.
--
-- Why no pg_monitor: that role reads every setting too, primary_conninfo with its password among them,
-- and may scan tables. Why no superuser: whoever takes over the collector would own the data.
--
-- No password is set. Log in over the Unix socket with peer authentication, or give it one yourself
-- where no statement log and no pg_stat_statements sees it: \password pqcrypta_watcher

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pqcrypta_watcher') THEN
    CREATE ROLE pqcrypta_watcher LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
      CONNECTION LIMIT 5;
  END IF;
END $$;

-- It only reads, and its sessions are read-only, whatever they run.
ALTER ROLE pqcrypta_watcher SET default_transaction_read_only = on;
ALTER ROLE pqcrypta_watcher SET lock_timeout = '500ms';
-- The collector ends its own statements after 5 s. Set for the role, this would hide what others get.
ALTER ROLE pqcrypta_watcher RESET statement_timeout;

-- What other roles' sessions, standbys and statements do. Without it they are in the views with every
-- column that matters NULL.
GRANT pg_read_all_stats TO pqcrypta_watcher;

-- Sizes of three directories, which belong to no role with fewer rights than pg_monitor.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO pqcrypta_watcher;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_archive_statusdir() TO pqcrypta_watcher;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_tmpdir() TO pqcrypta_watcher;

-- Logging in to the database that this is run in. PUBLIC has this right unless somebody took it away.
DO $$
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO pqcrypta_watcher', current_database());
END $$;

-- Exact bloat, where the extension pgstattuple is: two functions that give sums, never a row.
DO $$
DECLARE
  place text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                 WHERE e.extname = 'pgstattuple');
BEGIN
  IF place IS NOT NULL THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO pqcrypta_watcher', place);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.pgstattuple_approx(regclass) TO pqcrypta_watcher', place);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.pgstatindex(regclass) TO pqcrypta_watcher', place);
  END IF;
END $$;

-- Not given, since it would open data: SELECT on sequences (how full they are) and on tables (bloat
-- estimated from their statistics; the functions above do better). Where that is wanted:
--   GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO pqcrypta_watcher;
