-- Roll-ups: hours and days of every metric, and which hours have changed since.
--
-- Why so: a chart of a week read every sample of it, and one of last year nothing at all, as raw rows are gone after
-- two weeks. An hour of a metric and key is five figures: least, greatest, mean, weight of the mean, and last
-- value. They come from the metric's own expression, so that they are exact also where it is not linear in the columns,
-- and they add up to days and to any longer span.
--
-- One row has the metrics that are read together (a layout) of one key, as an array of such fives: of 1,000 rows an hour,
-- one for each metric would be 9,000, and took the server 170 ms to insert instead of 25.

-- Which metric is where in `stats`. A layout is never changed; a newer catalogue makes another.
CREATE TABLE collector.rollup_layouts (
    host_id integer NOT NULL REFERENCES collector.hosts,
    layout  integer NOT NULL,
    metrics text[] NOT NULL,
    PRIMARY KEY (host_id, layout),
    UNIQUE (host_id, metrics)
);
COMMENT ON TABLE collector.rollup_layouts IS 'The metrics of the arrays in metric_hours and metric_days, in their order.';

CREATE TABLE collector.metric_hours (
    bucket  timestamptz NOT NULL,
    host_id integer NOT NULL,
    layout  integer NOT NULL,
    -- Empty for a single series, and for the time that amounts of any key cover.
    key     text COLLATE "C" NOT NULL,
    -- For each metric of the layout: least, greatest, mean, weight of the mean, last value.
    stats   double precision[] NOT NULL
) PARTITION BY RANGE (bucket);
CREATE UNIQUE INDEX metric_hours_key ON collector.metric_hours (host_id, layout, key, bucket);
COMMENT ON TABLE collector.metric_hours IS 'Hours of metrics; read them through the series reader, which knows which of them have changed since.';

CREATE TABLE collector.metric_days (
    bucket  timestamptz NOT NULL,
    host_id integer NOT NULL,
    layout  integer NOT NULL,
    key     text COLLATE "C" NOT NULL,
    stats   double precision[] NOT NULL
) PARTITION BY RANGE (bucket);
CREATE UNIQUE INDEX metric_days_key ON collector.metric_days (host_id, layout, key, bucket);
COMMENT ON TABLE collector.metric_days IS 'Days of metrics (UTC), from their hours. A partition is a month.';

-- The same, a row for each metric: to be read by hand or by other programs. A mean of several rows is weighted.
CREATE VIEW collector.metrics_hourly AS
SELECT h.bucket, h.host_id, m.metric, nullif(h.key, '') AS key, h.stats[m.place][1] AS min, h.stats[m.place][2] AS max,
       h.stats[m.place][3] AS avg, h.stats[m.place][4] AS weight, h.stats[m.place][5] AS last
FROM collector.metric_hours h
JOIN collector.rollup_layouts l USING (host_id, layout)
CROSS JOIN LATERAL unnest(l.metrics) WITH ORDINALITY m (metric, place)
WHERE h.stats[m.place][3] IS NOT NULL;
COMMENT ON VIEW collector.metrics_hourly IS 'Least, greatest, mean and last value of each metric, key and hour. The weight of a level is its number of samples, of a rate its seconds, of a share its divisor.';

CREATE VIEW collector.metrics_daily AS
SELECT d.bucket, d.host_id, m.metric, nullif(d.key, '') AS key, d.stats[m.place][1] AS min, d.stats[m.place][2] AS max,
       d.stats[m.place][3] AS avg, d.stats[m.place][4] AS weight, d.stats[m.place][5] AS last
FROM collector.metric_days d
JOIN collector.rollup_layouts l USING (host_id, layout)
CROSS JOIN LATERAL unnest(l.metrics) WITH ORDINALITY m (metric, place)
WHERE d.stats[m.place][3] IS NOT NULL;
COMMENT ON VIEW collector.metrics_daily IS 'The same of each day (UTC).';

-- What is rolled up.
CREATE TABLE collector.rollups (
    host_id   integer NOT NULL REFERENCES collector.hosts,
    grain     text NOT NULL CHECK (grain IN ('hour', 'day')),
    bucket    timestamptz NOT NULL,
    -- How often it was rolled up. Of a day: the sum of its hours', which differs once one of them was rolled up again.
    version   bigint NOT NULL,
    -- Ticks of the host in it.
    ticks     integer NOT NULL,
    rolled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host_id, grain, bucket)
);
COMMENT ON TABLE collector.rollups IS 'The hours and days of each host that are rolled up.';

-- Hours that got rows. A row is added by the transaction that stores them and removed by the one that rolls the hour
-- up, which sees both in one snapshot; so rows that arrive meanwhile are never taken for rolled up. There may be several
-- for one hour.
CREATE TABLE collector.changed_hours (
    host_id    integer NOT NULL,
    bucket     timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX changed_hours_bucket ON collector.changed_hours (host_id, bucket);
COMMENT ON TABLE collector.changed_hours IS 'Hours whose rows have changed since they were rolled up.';

-- The hours that are stored: each tick has a row of the host.
INSERT INTO collector.changed_hours (host_id, bucket)
SELECT DISTINCT host_id, date_bin('1 hour', ts, 'epoch'::timestamptz) FROM collector.system_metrics_raw
WHERE ts < date_bin('1 hour', now(), 'epoch'::timestamptz);

-- Removes what is rolled up of one hour or day, before it is rolled up again. Runs with the owner's rights: the
-- writer deletes nothing else.
CREATE FUNCTION collector.clear_rollup(host integer, grain text, start timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE grain
        WHEN 'hour' THEN DELETE FROM collector.metric_hours WHERE host_id = host AND bucket = start;
        WHEN 'day' THEN DELETE FROM collector.metric_days WHERE host_id = host AND bucket = start;
    END CASE;
END $$;

-- Forgets that an hour has changed, as far as the transaction's snapshot knows.
CREATE FUNCTION collector.settle_hour(host integer, start timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM collector.changed_hours WHERE host_id = host AND bucket = start
$$;

REVOKE ALL ON FUNCTION collector.clear_rollup(integer, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.settle_hour(integer, timestamptz) FROM PUBLIC;

-- The days that one partition of a table holds: a month where a day has few rows, as a query of a year plans each
-- partition.
CREATE FUNCTION collector.partition_span(parent text, day date, OUT first date, OUT next date)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.first, (s.first + CASE WHEN parent = 'metric_days' THEN interval '1 month' ELSE interval '1 day' END)::date
    FROM (SELECT CASE WHEN parent = 'metric_days' THEN date_trunc('month', day::timestamp)::date ELSE day END AS first) s
$$;
REVOKE ALL ON FUNCTION collector.partition_span(text, date) FROM PUBLIC;

-- As before, and of the span that the day lies in.
CREATE OR REPLACE FUNCTION collector.ensure_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT bigint := 50000;
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    span    record;
    child   text;
    strays  bigint := 0;
BEGIN
    SELECT * INTO span FROM collector.partition_span(parent, day);
    child := coalesce(parent || '_' || to_char(span.first, 'YYYYMMDD'), spare);
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
                       spare, instant, span.first::timestamptz, instant, span.next::timestamptz, most + 1)
            INTO strays;
        IF strays > most THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('CREATE TABLE collector.%I (LIKE collector.%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) '
                   'WITH (autovacuum_analyze_threshold = 1000)',
                   child, parent);
    IF strays > 0 THEN
        EXECUTE format('WITH moved AS (DELETE FROM collector.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO collector.%I SELECT * FROM moved',
                       spare, instant, span.first::timestamptz, instant, span.next::timestamptz, child);
    END IF;
    IF day IS NULL THEN
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I DEFAULT', parent, child);
    ELSE
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, span.first::timestamptz, span.next::timestamptz);
    END IF;
    RETURN true;
END $$;

-- As before, and by the last day of the span.
CREATE OR REPLACE FUNCTION collector.expire_partition(parent text, keep text, asker_clock_micros bigint)
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
        SELECT c.relname, s.first AS day, s.next
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        CROSS JOIN collector.partition_span(parent, to_date(right(c.relname, 8), 'YYYYMMDD')) s
        WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = parent
          AND c.relnamespace = 'collector'::regnamespace AND c.relname ~ '_[0-9]{8}$'
        ORDER BY c.relname
    LOOP
        IF child.next > first THEN
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

-- As before, and what is noted of roll-ups that are expired.
CREATE OR REPLACE FUNCTION collector.expire_rows(tab text, keep text, asker_clock_micros bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT integer := 1000;
    first   date := collector.first_kept_day(keep, asker_clock_micros);
    expired bigint := 0;
BEGIN
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    CASE tab
        WHEN 'dead_letter' THEN
            DELETE FROM collector.dead_letter WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN LATERAL (SELECT d.ctid FROM collector.dead_letter d
                                    WHERE d.host_id = h.host_id AND d.noticed_at < first
                                    ORDER BY d.noticed_at LIMIT most) old
                LIMIT most));
        WHEN 'agent_runs' THEN
            DELETE FROM collector.agent_runs WHERE ctid = ANY (ARRAY(
                SELECT r.ctid FROM collector.agent_runs r
                WHERE r.started_at < first AND r.ended_at < first
                  AND EXISTS (SELECT FROM collector.agent_runs later
                              WHERE later.host_id = r.host_id AND later.started_at > r.started_at)
                LIMIT most));
        WHEN 'rollups' THEN
            DELETE FROM collector.rollups WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN (VALUES ('hour'), ('day')) g (grain)
                CROSS JOIN LATERAL (SELECT r.ctid FROM collector.rollups r
                                    WHERE r.host_id = h.host_id AND r.grain = g.grain AND r.bucket < first
                                    LIMIT most) old
                LIMIT most));
    END CASE;
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;
