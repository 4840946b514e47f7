-- Which databases are there, how old is each, and may we look into it? One row each, PostgreSQL 15 and
-- newer, readable by everybody.
SELECT datname::text AS database,
       datallowconn AND NOT datistemplate AS usable,
       has_database_privilege(oid, 'CONNECT') AS may_connect,
       age(datfrozenxid)::int8 AS xid_age,
       mxid_age(datminmxid)::int8 AS mxid_age
FROM pg_database;
