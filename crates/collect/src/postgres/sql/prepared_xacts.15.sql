-- Which prepared transactions were left open? One row each, oldest first; value: age in seconds. They
-- hold locks and keep rows from vacuum, survive restarts, and stop logical slots from being made.
-- PostgreSQL 15 and newer, readable by everybody.
SELECT gid AS object, extract(epoch FROM clock_timestamp() - prepared)::float8 AS value,
       owner::text AS owner, database::text AS database, age(transaction)::int8 AS xid_age
FROM pg_prepared_xacts ORDER BY prepared;
