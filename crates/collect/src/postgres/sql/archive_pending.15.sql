-- How many files of WAL wait to be archived? One row; value: files. PostgreSQL 15 and newer. Needs
-- EXECUTE on pg_ls_archive_statusdir(), which pg_read_all_stats does not bring.
SELECT 'archive_status' AS object, count(*)::float8 AS value,
       max(extract(epoch FROM clock_timestamp() - modification))::float8 AS oldest_secs
FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready';
