-- Gives three roles what their programs need, and nothing else.
--
-- Settings, by name: pqcrypta.writer, pqcrypta.reader and pqcrypta.ingest, an empty text for a role to leave out.
-- Run by the owner of the schema, in a transaction, after every migration: it covers the tables
-- there are. Sample tables are partitioned by `ts` and only ever inserted into; sums, partitioned by
-- `bucket`, grow in place, and the ordinary tables beside them keep state that is updated. Partitions
-- are reached through their parents alone.
--
-- Rows of web visits (web_analytics_…_raw) are read through views, which leave out what is not real, and inserted by the program that
-- receives events. That faces the Internet: it reads no table, and changes what is stored only through the functions below.
DO $$
DECLARE
    writer text := current_setting('pqcrypta.writer');
    reader text := current_setting('pqcrypta.reader');
    ingest text := current_setting('pqcrypta.ingest');
    item   record;
BEGIN
    IF writer <> '' THEN
        EXECUTE format('GRANT USAGE ON SCHEMA collector TO %I', writer);
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA collector TO %I', writer);
        -- It watches the store too, and how far its sequences are used up.
        EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA collector TO %I', writer);
        -- A distributed table takes the numbers of its identities as the role that inserts.
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
            EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA collector TO %I', writer);
        END IF;
    END IF;
    IF reader <> '' THEN
        EXECUTE format('GRANT USAGE ON SCHEMA collector TO %I', reader);
    END IF;
    IF ingest <> '' THEN
        EXECUTE format('GRANT USAGE ON SCHEMA collector TO %I', ingest);
        FOR item IN
            SELECT p.oid::regprocedure AS signature FROM pg_proc p
            WHERE p.pronamespace = 'collector'::regnamespace
              AND p.proname IN ('web_analytics_register', 'web_analytics_partitions', 'web_analytics_delivered', 'web_analytics_advance',
                                'web_analytics_touch_sessions', 'web_analytics_touch_views', 'web_analytics_touch_anonymous',
                                'web_analytics_touch_words', 'web_analytics_live', 'web_analytics_live_views', 'web_analytics_due',
                                'web_analytics_settle', 'web_analytics_begin_open', 'web_analytics_pack', 'web_analytics_synthetic')
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', item.signature, ingest);
        END LOOP;
        -- Visits are stored by web_analytics_touch_sessions.
        FOR item IN
            SELECT c.relname FROM pg_class c
            WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'p'
              AND c.relname ~ '^web_analytics_.*_raw$' AND c.relname <> 'web_analytics_sessions_raw'
        LOOP
            EXECUTE format('GRANT INSERT ON collector.%I TO %I', item.relname, ingest);
        END LOOP;
    END IF;
    FOR item IN
        SELECT c.relname, c.relkind, a.attname AS instant FROM pg_class c
        LEFT JOIN pg_partitioned_table t ON t.partrelid = c.oid
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = t.partattrs[0]
        WHERE c.relnamespace = 'collector'::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
          AND c.relname !~ '^web_analytics_.*_raw$' AND c.relname <> 'web_analytics_spools'
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
