-- Gives two roles what their programs need, and nothing else.
--
-- Settings, by name: pqcrypta.writer and pqcrypta.reader, an empty text for a role to leave out.
-- Run by the owner of the schema, in a transaction, after every migration: it covers the tables
-- there are. Sample tables are partitioned by `ts` and only ever inserted into; sums, partitioned by
-- `bucket`, grow in place, and the ordinary tables beside them keep state that is updated. Partitions
-- are reached through their parents alone.
DO $$
DECLARE
    writer text := current_setting('pqcrypta.writer');
    reader text := current_setting('pqcrypta.reader');
    item   record;
BEGIN
    IF writer <> '' THEN
        EXECUTE format('GRANT USAGE ON SCHEMA collector TO %I', writer);
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA collector TO %I', writer);
        -- It watches the store too, and how far its sequences are used up.
        EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA collector TO %I', writer);
    END IF;
    IF reader <> '' THEN
        EXECUTE format('GRANT USAGE ON SCHEMA collector TO %I', reader);
    END IF;
    FOR item IN
        SELECT c.relname, c.relkind, a.attname AS instant FROM pg_class c
        LEFT JOIN pg_partitioned_table t ON t.partrelid = c.oid
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = t.partattrs[0]
        WHERE c.relnamespace = 'collector'::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
    LOOP
        IF reader <> '' THEN
            EXECUTE format('GRANT SELECT ON collector.%I TO %I', item.relname, reader);
        END IF;
        IF writer <> '' THEN
            EXECUTE format('GRANT SELECT ON collector.%I TO %I', item.relname, writer);
            IF item.instant = 'ts' THEN
                EXECUTE format('GRANT INSERT ON collector.%I TO %I', item.relname, writer);
            ELSIF item.relkind IN ('r', 'p') AND item.relname <> 'schema_migrations' THEN
                EXECUTE format('GRANT INSERT, UPDATE ON collector.%I TO %I', item.relname, writer);
            END IF;
        END IF;
    END LOOP;
END $$
