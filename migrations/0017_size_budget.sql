-- Sizes of what is stored, a budget for them, and expiry that waits for nobody.
--
-- Why so: what the store takes was not known, so nobody could see what the configured retention will need, and a disk
-- that fills up costs every host everything. The sizes of a thousand partitions take 200 ms to read for a session that
-- has not opened them yet, so they are measured hourly, of what has changed, and read from a table of their own. And an
-- expired partition was waited for as long as for any lock, while readers of the table queued up behind.

-- How much a host's settings let the store take, bytes; NULL: as much as there is.
ALTER TABLE collector.retention ADD COLUMN max_bytes bigint;

CREATE TABLE collector.store_sizes (
    -- Partition, or table without partitions.
    relation    text PRIMARY KEY,
    -- The table that it is a part of.
    table_name  text NOT NULL,
    -- NULL: not the partition of a day.
    day         date,
    data_bytes  bigint NOT NULL,
    index_bytes bigint NOT NULL,
    toast_bytes bigint NOT NULL,
    -- As the server's statistics have it; NULL: not known.
    row_count   bigint,
    -- What the size follows from: file and number of changes.
    state       bigint NOT NULL,
    measured_at timestamptz NOT NULL
);
COMMENT ON TABLE collector.store_sizes IS 'Size of each partition and table of the store, measured hourly.';

-- What had to go because of the budget. The newest row of a grain holds: days before first_day are not kept.
CREATE TABLE collector.retention_cuts (
    -- 'raw': samples and lines of logs; 'hourly': hourly sums.
    grain        text NOT NULL,
    cut_at       timestamptz NOT NULL,
    -- The oldest day that was dropped, and the first that is kept since.
    oldest_day   date NOT NULL,
    first_day    date NOT NULL,
    -- What the dropped days took, the store before that, and the budget.
    bytes        bigint NOT NULL,
    store_bytes  bigint NOT NULL,
    budget_bytes bigint NOT NULL,
    PRIMARY KEY (grain, cut_at)
);
COMMENT ON TABLE collector.retention_cuts IS 'Days that were dropped before their time because the store had reached its budget.';

-- How long rows are kept, by the settings that decide it: the longest retention that any host seen in the last 30
-- days asks for. `days` is NULL when no host asks. `first_day` also takes into account what the budget left.
CREATE VIEW collector.kept AS
SELECT k.keep, k.days,
       greatest((now() AT TIME ZONE 'UTC')::date - k.days,
                (SELECT max(c.first_day) FROM collector.retention_cuts c
                 WHERE c.grain = CASE WHEN k.keep IN ('raw', 'brief', 'lines') THEN 'raw' ELSE k.keep END)) AS first_day
FROM (SELECT max(raw_days) AS raw, max(hourly_days) AS hourly, max(long_days) AS long, max(log_days) AS lines,
             max(event_days) AS events
      FROM collector.retention WHERE reported_at > now() - interval '30 days') r
CROSS JOIN LATERAL (VALUES ('raw', r.raw), ('brief', least(r.raw, 1)), ('hourly', r.hourly), ('long', r.long),
                           ('lines', r.lines), ('events', r.events)) k (keep, days);
COMMENT ON VIEW collector.kept IS 'For how many days rows of each kind are kept, and the first day that is.';

-- As before, and by the budget: see collector.kept.
CREATE OR REPLACE FUNCTION collector.first_kept_day(keep text, asker_clock_micros bigint) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF abs(extract(epoch FROM clock_timestamp()) * 1000000 - asker_clock_micros) > 60000000 THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT CASE WHEN k.days IS NOT NULL THEN k.first_day END FROM collector.kept k WHERE k.keep = first_kept_day.keep);
END $$;

-- How much the store may take, bytes: the greatest budget of the hosts seen in the last 30 days that have one; NULL when
-- none has. A host without a budget has no say: otherwise one that was left out would take the protection of the disk
-- from all. And the greatest counts as the longest retention does: nobody loses what they asked to keep because another
-- host asks for less.
CREATE VIEW collector.size_budget AS
SELECT max(max_bytes) AS max_bytes FROM collector.retention WHERE reported_at > now() - interval '30 days' AND max_bytes > 0;
COMMENT ON VIEW collector.size_budget IS 'How much the store may take, bytes; NULL: as much as there is.';

-- Measures what has changed since it was measured last, unless that was less than `rest` ago or another session does so.
-- Returns whether it measured. What the number of changes does not show (a new index) is found after a day.
CREATE FUNCTION collector.measure_store(rest interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
    -- The first number is "pqcp" in ASCII.
    IF NOT pg_try_advisory_xact_lock(1886610288, hashtext('store_sizes'))
       OR EXISTS (SELECT FROM collector.store_sizes WHERE measured_at > now() - rest) THEN
        RETURN false;
    END IF;
    DELETE FROM collector.store_sizes s
    WHERE NOT EXISTS (SELECT FROM pg_class c
                      WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND c.relname = s.relation);
    INSERT INTO collector.store_sizes AS s
    SELECT part.relation, part.table_name, part.day, z.whole - z.toast, z.indexes, z.toast,
           nullif(part.row_count, CASE WHEN z.whole > z.toast THEN 0 ELSE -1 END), part.state, now()
    FROM (
        SELECT c.oid, c.relname::text AS relation, coalesce(p.relname, c.relname)::text AS table_name, c.reltoastrelid AS toast,
               CASE WHEN p.relname IS NOT NULL THEN to_date(substring(c.relname FROM '_([0-9]{8})$'), 'YYYYMMDD') END AS day,
               greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint AS row_count,
               hashtextextended(concat_ws(' ', c.relfilenode, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
                                          pg_stat_get_tuples_deleted(c.oid), pg_stat_get_vacuum_count(c.oid),
                                          pg_stat_get_autovacuum_count(c.oid), c.reltuples), 0) AS state
        FROM pg_class c
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        LEFT JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r'
    ) part
    LEFT JOIN collector.store_sizes old ON old.relation = part.relation
    CROSS JOIN LATERAL (SELECT pg_table_size(part.oid) AS whole, pg_indexes_size(part.oid) AS indexes,
                               CASE WHEN part.toast = 0 THEN 0 ELSE pg_total_relation_size(part.toast) END AS toast
                        -- Opens the files: not for those that are left out.
                        OFFSET 0) z
    WHERE (old.state IS DISTINCT FROM part.state OR old.measured_at < now() - interval '1 day')
      -- Dropped meanwhile.
      AND z.whole IS NOT NULL AND z.indexes IS NOT NULL AND z.toast IS NOT NULL
    ON CONFLICT (relation) DO UPDATE
    SET data_bytes = excluded.data_bytes, index_bytes = excluded.index_bytes, toast_bytes = excluded.toast_bytes,
        row_count = excluded.row_count, state = excluded.state, measured_at = excluded.measured_at;
    RETURN true;
END $$;

-- Lets days go before their time when the store takes more than its budget: the oldest raw days first, then hours, never
-- today or yesterday, and nothing of any other kind. What goes is noted in collector.retention_cuts, and expires like what
-- is old. Takes the tables that expire with the settings that decide for how long. Returns a row for each grain that
-- was cut.
--
-- Partitions that are due already, and wait for a reader, do not count: they go anyway.
CREATE FUNCTION collector.cut_to_budget(tables text[], keeps text[], asker_clock_micros bigint)
RETURNS SETOF collector.retention_cuts
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    budget bigint := (SELECT max_bytes FROM collector.size_budget);
    total  bigint;
    excess bigint;
    cut    collector.retention_cuts;
BEGIN
    IF budget IS NULL OR collector.first_kept_day('raw', asker_clock_micros) IS NULL
       OR NOT pg_try_advisory_xact_lock(1886610288, hashtext('retention_cuts')) THEN
        RETURN;
    END IF;
    FOREACH cut.grain IN ARRAY ARRAY['raw', 'hourly'] LOOP
        SELECT sum(s.data_bytes + s.index_bytes + s.toast_bytes) INTO total
        FROM collector.store_sizes s
        LEFT JOIN unnest(tables, keeps) e (table_name, keep) USING (table_name)
        LEFT JOIN collector.kept k USING (keep)
        WHERE coalesce(s.day >= k.first_day, true);
        excess := total - budget;
        EXIT WHEN coalesce(excess <= 0, true);
        SELECT min(d.day), max(d.day) + 1, max(d.running)
        INTO cut.oldest_day, cut.first_day, cut.bytes
        FROM (SELECT s.day, sum(sum(s.data_bytes + s.index_bytes + s.toast_bytes)) OVER (ORDER BY s.day) AS running,
                     coalesce(sum(sum(s.data_bytes + s.index_bytes + s.toast_bytes))
                              OVER (ORDER BY s.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
              FROM collector.store_sizes s
              JOIN unnest(tables, keeps) e (table_name, keep) USING (table_name)
              JOIN collector.kept k USING (keep)
              WHERE s.day >= k.first_day AND s.day < now()::date - 1
                AND keep = ANY (CASE cut.grain WHEN 'raw' THEN ARRAY['raw', 'brief', 'lines'] ELSE ARRAY['hourly'] END)
              GROUP BY s.day) d
        WHERE d.before < excess;
        CONTINUE WHEN cut.first_day IS NULL;
        cut.cut_at := clock_timestamp();
        cut.store_bytes := total;
        cut.budget_bytes := budget;
        INSERT INTO collector.retention_cuts SELECT cut.*;
        RETURN NEXT cut;
    END LOOP;
    DELETE FROM collector.retention_cuts WHERE cut_at < now() - interval '1 year';
END $$;

DROP FUNCTION collector.expire_partition(text, text, bigint);

-- Drops the oldest expired partition of a table, and returns which, with its size and rows as they were measured (NULL:
-- not measured yet); no row when there is none. A partition of a day beyond the next week, made when a clock was wrong, is
-- dropped once it is empty. Whoever reads the table, another host that expires it, or a new partition that is being made
-- is waited for a tenth of a second at most: new readers queue up behind, so the caller tries again later.
CREATE FUNCTION collector.expire_partition(parent text, keep text, asker_clock_micros bigint)
RETURNS TABLE (partition text, day date, bytes bigint, row_count bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '100ms' AS $$
#variable_conflict use_column
DECLARE
    first date := collector.first_kept_day(keep, asker_clock_micros);
    child record;
    used  boolean;
BEGIN
    IF first IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(parent));
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
        partition := child.relname;
        day := child.day;
        DELETE FROM collector.store_sizes s WHERE s.relation = child.relname
        RETURNING s.data_bytes + s.index_bytes + s.toast_bytes, s.row_count INTO bytes, row_count;
        RETURN NEXT;
        RETURN;
    END LOOP;
END $$;

ALTER FUNCTION collector.expire_strays(text, text, bigint, bigint) SET lock_timeout = '100ms';

REVOKE ALL ON FUNCTION collector.measure_store(interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.cut_to_budget(text[], text[], bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.expire_partition(text, text, bigint) FROM PUBLIC;
