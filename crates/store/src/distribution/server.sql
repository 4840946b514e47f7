-- What this server says of itself and of the store, cluster or not.
-- Columns: server int4 (major version), role and owner text (of the schema), extension text (version of Citus; NULL: none),
--   prepared int8 (max_prepared_transactions), stored int8 (bytes of all tables of the schema).
SELECT current_setting('server_version_num')::int4 / 10000 AS server, current_user::text AS role,
       coalesce((SELECT pg_catalog.pg_get_userbyid(n.nspowner)::text FROM pg_catalog.pg_namespace n WHERE n.nspname = 'collector'), '') AS owner,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'citus') AS extension,
       current_setting('max_prepared_transactions')::int8 AS prepared,
       (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::int8 FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'collector' AND c.relkind = 'r') AS stored
