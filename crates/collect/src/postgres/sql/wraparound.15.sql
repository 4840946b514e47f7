-- Which databases are near wraparound? One row each, oldest first; value: age in transactions. Autovacuum
-- must come at autovacuum_freeze_max_age, the server refuses transactions near 2^31. PostgreSQL 15 and
-- newer, readable by everybody.
SELECT datname::text AS object, age(datfrozenxid)::float8 AS value,
       mxid_age(datminmxid)::int8 AS mxid_age,
       100 * age(datfrozenxid)::float8 / current_setting('autovacuum_freeze_max_age')::float8 AS forced_vacuum_pct,
       100 * age(datfrozenxid)::float8 / 2147483648 AS stop_pct
FROM pg_database ORDER BY value DESC;
