-- The hours of a day in the order of their keys.
--
-- Why so: hours are stored as they are rolled up, so the 24 of a key lie on 24 pages of the day. A chart of eight names over 30 days
-- read some 6,000 pages, most of a second where they were not in memory. In order they are one or two pages a day.

-- Rewrites the hours of a day in the order of their key; the server notes that it did (pg_index.indisclustered). Runs with the owner's
-- rights, as CLUSTER asks for them. Readers of the day wait for as long as that takes; whoever has a lock is not waited for long.
CREATE FUNCTION collector.order_hours(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    part regclass;
    key name;
BEGIN
    SELECT x.indrelid::regclass, k.relname INTO part, key
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid AND c.relname = 'metric_hours_' || to_char(day, 'YYYYMMDD')
    JOIN pg_index x ON x.indrelid = c.oid AND x.indisunique
    JOIN pg_class k ON k.oid = x.indexrelid
    WHERE i.inhparent = 'collector.metric_hours'::regclass;
    IF part IS NOT NULL THEN
        EXECUTE format('CLUSTER %s USING %I', part, key);
    END IF;
END $$;
REVOKE ALL ON FUNCTION collector.order_hours(date) FROM PUBLIC;
