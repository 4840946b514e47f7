-- Which extensions that we read are here, and in which schema? One row each, PostgreSQL 15 and newer,
-- readable by everybody. Their versions are not the server's: an upgrade leaves them behind.
SELECT e.extname::text AS name, e.extversion AS version, n.nspname::text AS schema
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname IN ('pg_stat_statements', 'pgstattuple');
