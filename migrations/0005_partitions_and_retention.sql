-- Partitions one by one, and expiry that belongs to the store.
--
-- Why so: many hosts share the tables, so no host may decide alone when rows go, and none may hold up
-- the others. A partition is made for one table and one day, in a statement of its own, by ATTACH:
-- that locks the default partition for a moment and the table itself against other changes of its
-- definition, but neither readers nor writers of other days. What is expired follows from the
-- server's clock and from the longest retention that any host asks for.

CREATE TABLE collector.retention (
    host_id           integer PRIMARY KEY REFERENCES collector.hosts,
    -- What the host's settings ask for, days.
    raw_days          integer NOT NULL,
    hourly_days       integer NOT NULL,
    long_days         integer NOT NULL,
    log_days          integer NOT NULL,
    event_days        integer NOT NULL,
    -- By how much the host's clock was ahead of the server's at the last report, seconds; negative: behind.
    clock_ahead_secs  double precision NOT NULL DEFAULT 0,
    -- Since when the two differ by more than a minute, by the server's clock; NULL while they agree.
    clock_wrong_since timestamptz,
    reported_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE collector.retention IS 'What each host asks to be kept, and whether its clock agrees with the server''s.';

-- A host that has not been started with this version yet asks for what its last run asked for.
INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, reported_at)
SELECT h.host_id, coalesce(r.raw_days, 14), coalesce(r.hourly_days, 90), coalesce(r.long_days, 365),
       coalesce(r.log_days, 7), coalesce(r.event_days, 30),
       least(now(), greatest(h.last_seen, (SELECT max(w.updated_at) FROM collector.spool_watermark w
                                           WHERE w.host_id = h.host_id)))
FROM collector.hosts h
LEFT JOIN LATERAL (
    SELECT (a.settings #>> '{retention.raw_days,0}')::integer AS raw_days,
           (a.settings #>> '{retention.hourly_days,0}')::integer AS hourly_days,
           (a.settings #>> '{retention.daily_days,0}')::integer AS long_days,
           (a.settings #>> '{retention.log_days,0}')::integer AS log_days,
           (a.settings #>> '{retention.event_days,0}')::integer AS event_days
    FROM collector.agent_runs a WHERE a.host_id = h.host_id
    ORDER BY a.started_at DESC LIMIT 1
) r ON true;

-- Days of which a default partition holds rows, and since when that is known: the date of such a row is
-- often wrong, so that it alone cannot decide when the row expires.
CREATE TABLE collector.stray_days (
    table_name text NOT NULL,
    day        date NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, day)
);
COMMENT ON TABLE collector.stray_days IS 'Days of which the default partition of a table holds rows, and since when.';

DROP FUNCTION collector.ensure_partitions(date, date);
DROP FUNCTION collector.drop_partitions(text, date);

-- The column by which a table of this schema is partitioned; an error when there is no such table.
CREATE FUNCTION collector.partition_column(parent text) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    instant name;
BEGIN
    SELECT a.attname INTO instant
    FROM pg_partitioned_table t
    JOIN pg_class p ON p.oid = t.partrelid
    JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = t.partattrs[0]
    WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = parent;
    IF instant IS NULL THEN
        RAISE EXCEPTION 'collector.% is not a partitioned table', parent USING ERRCODE = 'undefined_table';
    END IF;
    RETURN instant;
END $$;

-- Whether `child` is a partition of `parent`.
CREATE FUNCTION collector.is_partition(parent text, child text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_inherits i
                   JOIN pg_class c ON c.oid = i.inhrelid
                   JOIN pg_class p ON p.oid = i.inhparent
                   WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = parent
                     AND c.relnamespace = 'collector'::regnamespace AND c.relname = child)
$$;

-- Makes one partition of one table: that of `day`, or the default one when `day` is NULL. Runs with the
-- owner's rights: the writer may insert and nothing else. Returns whether it was made now.
--
-- Rows of the day that lie in the default partition move into the new one in the same transaction.
-- Writers of the default partition wait meanwhile; those of other days, and readers, do not. Of more
-- than 50,000 such rows, which move in about a second, none moves and no partition is made: the rest of
-- that day goes to the default partition, too, and later days are not affected.
CREATE FUNCTION collector.ensure_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT bigint := 50000;
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    child   text := coalesce(parent || '_' || to_char(day, 'YYYYMMDD'), spare);
    strays  bigint := 0;
BEGIN
    IF collector.is_partition(parent, child) THEN
        RETURN false;
    END IF;
    -- Two agents at once would trip over the name; the first number is "pqcp" in ASCII.
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(parent));
    IF collector.is_partition(parent, child) THEN
        RETURN false;
    END IF;
    IF day IS NOT NULL AND collector.is_partition(parent, spare) THEN
        EXECUTE format('LOCK TABLE collector.%I IN SHARE ROW EXCLUSIVE MODE', spare);
        EXECUTE format('SELECT count(*) FROM (SELECT FROM collector.%I WHERE %I >= %L AND %I < %L LIMIT %s) s',
                       spare, instant, day::timestamptz, instant, (day + 1)::timestamptz, most + 1)
            INTO strays;
        IF strays > most THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('CREATE TABLE collector.%I (LIKE collector.%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS)',
                   child, parent);
    IF strays > 0 THEN
        EXECUTE format('WITH moved AS (DELETE FROM collector.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO collector.%I SELECT * FROM moved',
                       spare, instant, day::timestamptz, instant, (day + 1)::timestamptz, child);
    END IF;
    IF day IS NULL THEN
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I DEFAULT', parent, child);
    ELSE
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, day::timestamptz, (day + 1)::timestamptz);
    END IF;
    RETURN true;
END $$;

-- The first day that is kept, by the server's clock and the longest retention that any host seen in the
-- last 30 days asks for. NULL, which expires nothing, when the clock of the host that asks is more than a
-- minute from the server's (one of the two is wrong, and nothing here knows which), or when no host asks.
CREATE FUNCTION collector.first_kept_day(keep text, asker_clock_micros bigint) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    days integer;
BEGIN
    IF abs(extract(epoch FROM clock_timestamp()) * 1000000 - asker_clock_micros) > 60000000 THEN
        RETURN NULL;
    END IF;
    SELECT max(CASE keep WHEN 'raw' THEN raw_days WHEN 'brief' THEN least(raw_days, 2)
                         WHEN 'hourly' THEN hourly_days WHEN 'long' THEN long_days
                         WHEN 'lines' THEN log_days WHEN 'events' THEN event_days END)
    INTO days
    FROM collector.retention WHERE reported_at > now() - interval '30 days';
    RETURN now()::date - days;
END $$;

-- Drops the oldest expired partition of a table. Returns its name; NULL when there is none. A partition of a
-- day beyond the next week, made when a clock was wrong, is dropped once it is empty.
CREATE FUNCTION collector.expire_partition(parent text, keep text, asker_clock_micros bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first date := collector.first_kept_day(keep, asker_clock_micros);
    child record;
    used  boolean;
BEGIN
    IF first IS NULL THEN
        RETURN NULL;
    END IF;
    FOR child IN
        SELECT c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') AS day
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = parent
          AND c.relnamespace = 'collector'::regnamespace AND c.relname ~ '_[0-9]{8}$'
        ORDER BY c.relname
    LOOP
        IF child.day >= first THEN
            CONTINUE WHEN child.day <= now()::date + 7;
            EXECUTE format('SELECT EXISTS (SELECT FROM collector.%I)', child.relname) INTO used;
            CONTINUE WHEN used;
        END IF;
        EXECUTE format('DROP TABLE collector.%I', child.relname);
        RETURN child.relname;
    END LOOP;
    RETURN NULL;
END $$;

-- Deletes the expired rows in a part of the default partition of a table: 1,000 blocks (8 MB) from
-- `block` on, so that no transaction is long whatever lies there. A row is expired when its day is before
-- the first that is kept and was noticed here a day ago (who adds an old log sees it for a day), or when
-- that day, which may be far ahead, was noticed as long ago as rows of the table are kept. `next_block` is
-- where to go on, NULL at the end. At block 0 the days are noted; when nothing would be left the partition is
-- truncated instead.
CREATE FUNCTION collector.expire_strays(parent text, keep text, asker_clock_micros bigint, block bigint,
                                        OUT expired bigint, OUT next_block bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    step    CONSTANT bigint := 1000;
    first   date := collector.first_kept_day(keep, asker_clock_micros);
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    blocks  bigint;
    due     date[];
    kept    boolean;
    is_due  text;
BEGIN
    expired := 0;
    IF first IS NULL OR NOT collector.is_partition(parent, spare) THEN
        RETURN;
    END IF;
    blocks := pg_relation_size(format('collector.%I', spare)::regclass) / current_setting('block_size')::bigint;
    IF blocks = 0 THEN
        DELETE FROM collector.stray_days s WHERE s.table_name = parent;
        RETURN;
    END IF;
    IF block = 0 THEN
        EXECUTE format('INSERT INTO collector.stray_days (table_name, day) SELECT DISTINCT $1, %I::date FROM collector.%I ON CONFLICT DO NOTHING',
                       instant, spare)
            USING parent;
    END IF;
    due := ARRAY(SELECT s.day FROM collector.stray_days s
                 WHERE s.table_name = parent
                   AND (s.day < first AND s.noticed_at < now() - interval '1 day'
                        OR s.noticed_at < now() - (now()::date - first) * interval '1 day'));
    is_due := format('%I::date = ANY (%L::date[])', instant, due);
    IF due = '{}' THEN
        RETURN;
    END IF;
    IF block = 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM collector.%I WHERE NOT %s)', spare, is_due) INTO kept;
        IF NOT kept THEN
            EXECUTE format('LOCK TABLE collector.%I IN ACCESS EXCLUSIVE MODE', spare);
            EXECUTE format('SELECT EXISTS (SELECT FROM collector.%I WHERE NOT %s)', spare, is_due) INTO kept;
            IF NOT kept THEN
                EXECUTE format('SELECT count(*) FROM collector.%I', spare) INTO expired;
                EXECUTE format('TRUNCATE collector.%I', spare);
                DELETE FROM collector.stray_days s WHERE s.table_name = parent;
                RETURN;
            END IF;
        END IF;
    END IF;
    EXECUTE format('DELETE FROM collector.%I WHERE ctid >= %L::tid AND ctid < %L::tid AND %s',
                   spare, format('(%s,0)', block), format('(%s,0)', block + step), is_due);
    GET DIAGNOSTICS expired = ROW_COUNT;
    IF block + step < blocks THEN
        next_block := block + step;
    ELSE
        DELETE FROM collector.stray_days s WHERE s.table_name = parent AND s.day = ANY (due);
    END IF;
END $$;

REVOKE ALL ON FUNCTION collector.partition_column(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.is_partition(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.ensure_partition(text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.first_kept_day(text, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.expire_partition(text, text, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.expire_strays(text, text, bigint, bigint) FROM PUBLIC;
