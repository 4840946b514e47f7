-- How big is each database? One row each, PostgreSQL 15 and newer. Asks the file system for every file:
-- once in minutes. The function fails for a database without CONNECT and spoils the whole statement,
-- hence the test before it.
SELECT datname::text AS database,
       CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(oid) END AS size_bytes
FROM pg_database;
