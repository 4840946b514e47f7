-- Sums: what statements, endpoints and kinds of I/O add up to over hours, days and months.
--
-- Why so: the dashboard's tables of them added up every sample of their range: 1.6 s over three days, and what was older than samples are
-- kept was missing from a year without a word. An hour of 500 statements are 6,000 rows; its sums are 500, those of a month as well.
--
-- They are beside the hours of metrics, not among them: a table has twice as many columns as statements have metrics, by role, and whole
-- numbers stay whole. Months lie with the days: a year of days would be 180,000 rows.

CREATE TABLE collector.statement_hours (
    bucket            timestamptz NOT NULL,
    host_id           integer NOT NULL,
    instance          text NOT NULL,
    database          text NOT NULL,
    role              text NOT NULL,
    queryid           bigint NOT NULL,
    major             integer NOT NULL,
    toplevel          boolean NOT NULL,
    -- Whether an entry was evicted meanwhile, so that a part is missing.
    evicted           boolean NOT NULL,
    calls             bigint NOT NULL,
    rows              bigint NOT NULL,
    exec_ms           double precision NOT NULL,
    -- The greatest that a sample had, as the next.
    max_exec_ms       double precision NOT NULL,
    stddev_exec_ms    double precision NOT NULL,
    plan_ms           double precision,
    shared_blks_hit   bigint NOT NULL,
    shared_blks_read  bigint NOT NULL,
    temp_blks_read    bigint NOT NULL,
    temp_blks_written bigint NOT NULL,
    blk_read_ms       double precision,
    blk_write_ms      double precision,
    wal_records       bigint NOT NULL,
    wal_bytes         bigint NOT NULL,
    jit_ms            double precision NOT NULL,
    -- Its last tick.
    last_seen         timestamptz NOT NULL
) PARTITION BY RANGE (bucket);
CREATE INDEX statement_hours_bucket ON collector.statement_hours (host_id, bucket);
COMMENT ON TABLE collector.statement_hours IS 'What statements cost in each hour, by role, origin and version; complete where collector.rollups has_sums.';

CREATE TABLE collector.endpoint_hours (
    bucket       timestamptz NOT NULL,
    host_id      integer NOT NULL,
    target       text NOT NULL,
    endpoint     text NOT NULL,
    status       integer NOT NULL,
    -- Answers; NULL where no step is known.
    responses    bigint,
    -- The last of them as the target reports it, and the sample that counted it.
    last_seen    timestamptz,
    last_counted timestamptz
) PARTITION BY RANGE (bucket);
CREATE INDEX endpoint_hours_bucket ON collector.endpoint_hours (host_id, bucket);
COMMENT ON TABLE collector.endpoint_hours IS 'Answers of endpoints in each hour, by status; complete where collector.rollups has_sums.';

CREATE TABLE collector.io_hours (
    bucket         timestamptz NOT NULL,
    host_id        integer NOT NULL,
    instance       text NOT NULL,
    backend_type   text NOT NULL,
    object         text NOT NULL,
    context        text NOT NULL,
    -- Increases; NULL where no step is known.
    reads          bigint,
    read_bytes     bigint,
    read_ms_total  double precision,
    writes         bigint,
    write_bytes    bigint,
    write_ms_total double precision,
    extend_bytes   bigint,
    hits           bigint,
    evictions      bigint,
    reuses         bigint,
    fsyncs         bigint,
    fsync_ms_total double precision
) PARTITION BY RANGE (bucket);
CREATE INDEX io_hours_bucket ON collector.io_hours (host_id, bucket);
COMMENT ON TABLE collector.io_hours IS 'Reads and writes by kind of process, object and context in each hour; complete where collector.rollups has_sums.';

-- Days and months have the same columns, and how long the bucket is.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['statement', 'endpoint', 'io'] LOOP
        EXECUTE format('CREATE TABLE collector.%I (LIKE collector.%I INCLUDING COMMENTS, grain text NOT NULL CHECK (grain IN (''day'', ''month''))) '
                       'PARTITION BY RANGE (bucket)', name || '_days', name || '_hours');
        EXECUTE format('CREATE INDEX %I ON collector.%I (host_id, grain, bucket)', name || '_days_bucket', name || '_days');
        EXECUTE format('COMMENT ON TABLE collector.%I IS %L', name || '_days',
                       'The same of each day and month (UTC), from the hours and days. A partition is a month.');
    END LOOP;
END $$;

-- Whether the sums of an hour or day are those of its present version. Hours that were rolled up before get theirs while their samples are
-- kept; until then they are read from samples.
ALTER TABLE collector.rollups ADD COLUMN has_sums boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN collector.rollups.has_sums IS 'Whether the sums of statements, endpoints and I/O are those of this version.';

CREATE TABLE collector.summed_months (
    host_id integer NOT NULL REFERENCES collector.hosts,
    bucket  timestamptz NOT NULL,
    -- The sum of its days', which differs once one of them was rolled up again.
    version bigint NOT NULL,
    PRIMARY KEY (host_id, bucket)
);
COMMENT ON TABLE collector.summed_months IS 'The months of each host whose days are added up.';

-- Removes the sums of an hour, day or month, before they are made again. Runs with the owner's rights: the writer deletes nothing else. With
-- a month, forgets those whose days are expired.
CREATE FUNCTION collector.clear_sums(host integer, grain text, start timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET timezone = 'UTC' AS $$
BEGIN
    IF grain = 'hour' THEN
        DELETE FROM collector.statement_hours WHERE host_id = host AND bucket = start;
        DELETE FROM collector.endpoint_hours WHERE host_id = host AND bucket = start;
        DELETE FROM collector.io_hours WHERE host_id = host AND bucket = start;
        RETURN;
    END IF;
    DELETE FROM collector.statement_days d WHERE d.host_id = host AND d.grain = clear_sums.grain AND d.bucket = start;
    DELETE FROM collector.endpoint_days d WHERE d.host_id = host AND d.grain = clear_sums.grain AND d.bucket = start;
    DELETE FROM collector.io_days d WHERE d.host_id = host AND d.grain = clear_sums.grain AND d.bucket = start;
    IF grain = 'month' THEN
        DELETE FROM collector.summed_months m
        WHERE m.host_id = host AND m.bucket + interval '1 month' <= (SELECT first_day FROM collector.kept WHERE keep = 'long' AND days IS NOT NULL);
    END IF;
END $$;
REVOKE ALL ON FUNCTION collector.clear_sums(integer, text, timestamptz) FROM PUBLIC;

-- The days that one partition of a table holds, as before: a month of these days, too.
CREATE OR REPLACE FUNCTION collector.partition_span(parent text, day date, OUT first date, OUT next date)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.first, (s.first + CASE WHEN s.is_month THEN interval '1 month' ELSE interval '1 day' END)::date
    FROM (SELECT m.is_month, CASE WHEN m.is_month THEN date_trunc('month', day::timestamp)::date ELSE day END AS first
          FROM (SELECT parent IN ('metric_days', 'web_analytics_days', 'web_analytics_hours',
                                  'statement_days', 'endpoint_days', 'io_days') AS is_month) m) s
$$;
