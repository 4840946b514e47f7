-- What must be known of this database before anything is asked of it? One row, PostgreSQL 15 and newer,
-- readable by everybody. `own` is the schema that the collector stores into, if it is here.
SELECT (SELECT n.oid::int8 FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname = 'collector' AND c.relname = 'schema_migrations') AS own;
