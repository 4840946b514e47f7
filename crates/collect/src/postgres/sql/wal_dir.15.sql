-- How big is pg_wal? One row; value: bytes. PostgreSQL 15 and newer. Needs EXECUTE on pg_ls_waldir().
SELECT 'pg_wal' AS object, coalesce(sum(size), 0)::float8 AS value, count(*) AS files,
       count(*) FILTER (WHERE name ~ '^[0-9A-F]{24}$') AS segments,
       pg_size_bytes(current_setting('max_wal_size')) AS max_wal_size_bytes
FROM pg_ls_waldir();
