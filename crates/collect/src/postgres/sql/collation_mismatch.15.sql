-- Under which databases did the collation library change, so that indexes on text may be wrong? One row
-- each; value: size of the risk is not known, so NULL. PostgreSQL 15 and newer, readable by everybody.
SELECT datname::text AS object, NULL::float8 AS value, coalesce(datcollversion, '') AS recorded,
       coalesce(pg_database_collation_actual_version(oid), '') AS actual
FROM pg_database
WHERE datallowconn AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid);
