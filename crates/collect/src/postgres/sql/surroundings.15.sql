-- What must be known of this database before anything is asked of it? One row, PostgreSQL 15 and newer,
-- readable by everybody. `own` is the schema that the collector stores into, if it is here; `loaded` tells
-- whether the library of pg_stat_statements was loaded at the start of the server.
SELECT (SELECT n.oid::int8 FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname = 'collector' AND c.relname = 'schema_migrations') AS own,
       EXISTS (SELECT FROM pg_show_all_settings() WHERE name = 'pg_stat_statements.max') AS loaded,
       current_setting('server_encoding') AS encoding,
       current_database()::text AS connected, pg_is_in_recovery() AS in_recovery;
