-- How much lies in temporary files now? One row; value: bytes. PostgreSQL 15 and newer. Needs EXECUTE on
-- pg_ls_tmpdir(); only the default tablespace.
SELECT 'pgsql_tmp' AS object, coalesce(sum(size), 0)::float8 AS value, count(*) AS files,
       max(extract(epoch FROM clock_timestamp() - modification))::float8 AS oldest_secs
FROM pg_ls_tmpdir();
