-- Where do statements come from whose texts may be in no encoding? One row for each such database, PostgreSQL
-- 15 and newer, readable by everybody: those in SQL_ASCII take any bytes.
SELECT datname::text AS name, oid::int8 AS id FROM pg_database
WHERE pg_encoding_to_char(encoding) = 'SQL_ASCII' AND datallowconn AND NOT datistemplate ORDER BY 1;
