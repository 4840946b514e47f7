-- Web analytics: visits, page views, events, and sums of closed days.
--
-- Why so: a question over a month must not read the month. A day that is over is added up once, per dimension and word, and questions
-- read the sums; only the open day is read row by row. What used to be a condition of every query is a column or a view here: which
-- visits are real (the views ending in _real), how long a visit counts at most (capped_secs), what a bounce is, how a path is written
-- (page_key).
--
-- Text is a *word*: its id is eight bytes of SHA-256, so whoever writes needs no database to know it, and a row of a visit or view is
-- small. Every key holds site_id. Raw tables are partitioned by day (UTC) and expire by DROP; a day of figures is one of the site's zone.

CREATE TABLE collector.web_analytics_sites (
    site_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain       text NOT NULL UNIQUE CHECK (domain <> ''),
    -- Its days are the site's days.
    time_zone    text NOT NULL,
    -- Hosts whose pages belong to the site.
    hosts        text[] NOT NULL DEFAULT '{}',
    -- For how long rows are kept, days: views and events; visits; sums.
    raw_days     integer NOT NULL DEFAULT 180 CHECK (raw_days > 0),
    session_days integer NOT NULL DEFAULT 395 CHECK (session_days > 0),
    sum_days     integer NOT NULL DEFAULT 760 CHECK (sum_days > 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE collector.web_analytics_sites IS 'Sites whose visits are counted; site_id is never updated.';

CREATE TABLE collector.web_analytics_words (
    site_id  integer NOT NULL,
    -- collector.word_id(kind, word).
    word_id  bigint NOT NULL,
    kind     text NOT NULL,
    word     text NOT NULL,
    -- Of a page: its newest recorded title. Of a pair: its second part. NULL: none.
    title    text,
    -- The last day (of the site) on which it occurred.
    last_day date NOT NULL,
    PRIMARY KEY (site_id, word_id)
);
COMMENT ON TABLE collector.web_analytics_words IS 'Texts that visits, views, events and sums refer to by id: paths, sources, names, browsers.';

CREATE TABLE collector.web_analytics_sessions_raw (
    -- Its first view.
    ts           timestamptz NOT NULL,
    session_id   bigint NOT NULL,
    last_seen    timestamptz NOT NULL,
    -- Lives one day of the site.
    visitor_id   bigint NOT NULL,
    -- Words: first and last page, where it came from, campaign. NULL: none.
    entry        bigint,
    exit         bigint,
    source       bigint,
    referrer     bigint,
    utm_source   bigint,
    utm_medium   bigint,
    utm_campaign bigint,
    utm_term     bigint,
    utm_content  bigint,
    site_id      integer NOT NULL,
    -- Number of the network; NULL: unknown.
    asn          integer,
    engaged_ms   integer NOT NULL,
    duration_secs integer NOT NULL GENERATED ALWAYS AS (greatest(extract(epoch FROM last_seen - ts), 0)::integer) STORED,
    -- At most four hours: what is longer is a browser that was left open, not a visit.
    capped_secs  integer NOT NULL GENERATED ALWAYS AS (least(greatest(extract(epoch FROM last_seen - ts), 0), 14400)::integer) STORED,
    -- CSS pixels; NULL: unknown.
    width        smallint,
    views        smallint NOT NULL,
    events       smallint NOT NULL,
    -- It did something on a page: an event other than a view.
    interactive  boolean NOT NULL,
    -- Probably not a person.
    suspect      boolean NOT NULL,
    consented    boolean NOT NULL,
    -- Of a health check.
    synthetic    boolean NOT NULL,
    bounce       boolean NOT NULL GENERATED ALWAYS AS (views <= 1 AND NOT interactive AND engaged_ms < 10000) STORED,
    channel      text NOT NULL,
    browser      text,
    os           text,
    device       text,
    language     text,
    -- Two letters; NULL: unknown.
    country      text
) PARTITION BY RANGE (ts);
CREATE UNIQUE INDEX web_analytics_sessions_raw_key ON collector.web_analytics_sessions_raw (site_id, ts, session_id);
COMMENT ON TABLE collector.web_analytics_sessions_raw IS 'One row per visit, brought up to date while it lasts (collector.web_analytics_touch_sessions). Questions read web_analytics_sessions_real.';
COMMENT ON COLUMN collector.web_analytics_sessions_raw.duration_secs IS 'From the first view to the last sign of the visit.';
COMMENT ON COLUMN collector.web_analytics_sessions_raw.capped_secs IS 'The same, at most four hours: what averages are made of.';
COMMENT ON COLUMN collector.web_analytics_sessions_raw.bounce IS 'One view, nothing interactive, and engaged for less than ten seconds.';

CREATE TABLE collector.web_analytics_page_views_raw (
    ts         timestamptz NOT NULL,
    -- Its visit: start and id.
    session_ts timestamptz NOT NULL,
    session_id bigint NOT NULL,
    visitor_id bigint NOT NULL,
    view_id    bigint NOT NULL,
    page_id    bigint NOT NULL,
    site_id    integer NOT NULL,
    -- Visible and focused; grows while the page is open.
    engaged_ms integer NOT NULL,
    -- Position in the visit, from 1.
    nth        smallint NOT NULL,
    -- HTTP status of the page; 0: not reported. Neither this nor the next is NULL: a bitmap of NULLs would cost eight bytes a row.
    status     smallint NOT NULL,
    -- Deepest visible part, per cent; 0: not measured.
    scroll_pct smallint NOT NULL,
    suspect    boolean NOT NULL,
    synthetic  boolean NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX web_analytics_page_views_raw_ts ON collector.web_analytics_page_views_raw (site_id, ts);
COMMENT ON TABLE collector.web_analytics_page_views_raw IS 'One row per view of a page. Questions read web_analytics_page_views_real.';

CREATE TABLE collector.web_analytics_events_raw (
    ts         timestamptz NOT NULL,
    session_ts timestamptz NOT NULL,
    session_id bigint NOT NULL,
    visitor_id bigint NOT NULL,
    view_id    bigint NOT NULL,
    page_id    bigint NOT NULL,
    name_id    bigint NOT NULL,
    site_id    integer NOT NULL,
    -- 0 own event, 1 outbound link, 2 download, 3 form.
    kind       smallint NOT NULL,
    suspect    boolean NOT NULL,
    synthetic  boolean NOT NULL,
    -- Properties, an object of scalars; NULL: none.
    props      jsonb
) PARTITION BY RANGE (ts);
CREATE INDEX web_analytics_events_raw_ts ON collector.web_analytics_events_raw (site_id, ts);
COMMENT ON TABLE collector.web_analytics_events_raw IS 'One row per event other than a view. Questions read web_analytics_events_real.';

CREATE TABLE collector.web_analytics_anonymous_views_raw (
    ts         timestamptz NOT NULL,
    view_id    bigint NOT NULL,
    page_id    bigint NOT NULL,
    source     bigint,
    site_id    integer NOT NULL,
    engaged_ms integer NOT NULL,
    status     smallint NOT NULL,
    scroll_pct smallint NOT NULL,
    device     text,
    country    text
) PARTITION BY RANGE (ts);
CREATE INDEX web_analytics_anonymous_views_raw_ts ON collector.web_analytics_anonymous_views_raw (site_id, ts);
COMMENT ON TABLE collector.web_analytics_anonymous_views_raw IS 'Views without consent, or of a browser that asks not to be tracked: no visitor, no visit.';

CREATE TABLE collector.web_analytics_refused_raw (
    -- Start of the minute.
    ts      timestamptz NOT NULL,
    -- 0: of no known site.
    site_id integer NOT NULL,
    reason  text NOT NULL,
    -- What it was about: a host, a name of a bot. Never an address.
    detail  text NOT NULL DEFAULT '',
    count   bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX web_analytics_refused_raw_ts ON collector.web_analytics_refused_raw (site_id, ts);
COMMENT ON TABLE collector.web_analytics_refused_raw IS 'Events that were not counted, by minute and reason; there may be several rows for one minute.';

CREATE TABLE collector.web_analytics_days (
    -- The day in the site's zone.
    bucket      date NOT NULL,
    site_id     integer NOT NULL,
    visitors    integer NOT NULL,
    word_id     bigint NOT NULL,
    engaged_ms  bigint NOT NULL,
    capped_secs bigint NOT NULL,
    visits      integer NOT NULL,
    views       integer NOT NULL,
    bounces     integer NOT NULL,
    entries     integer NOT NULL,
    exits       integer NOT NULL,
    -- collector.web_analytics_dimensions.
    dimension   smallint NOT NULL,
    -- Counts by collector.duration_bucket; NULL: not kept for this dimension.
    durations   integer[],
    -- Measured views, sum of their depths in per cent, and how many reached 25, 50, 75 and 90 %; NULL: not kept.
    scrolls     integer[]
) PARTITION BY RANGE (bucket);
CREATE UNIQUE INDEX web_analytics_days_key ON collector.web_analytics_days (site_id, dimension, bucket, word_id);
COMMENT ON TABLE collector.web_analytics_days IS 'Sums of each day of a site, by dimension and word: at most 1,000 words a day, the others in (other). A partition is a month.';

CREATE TABLE collector.web_analytics_hours (
    bucket    timestamptz NOT NULL,
    site_id   integer NOT NULL,
    visitors  integer NOT NULL,
    visits    integer NOT NULL,
    views     integer NOT NULL,
    bounces   integer NOT NULL,
    anonymous integer NOT NULL
) PARTITION BY RANGE (bucket);
CREATE UNIQUE INDEX web_analytics_hours_key ON collector.web_analytics_hours (site_id, bucket);
COMMENT ON TABLE collector.web_analytics_hours IS 'Sums of each hour of a site; visits and visitors by the hour in which the visit began. A partition is a month.';

CREATE TABLE collector.web_analytics_settled (
    site_id    integer NOT NULL,
    day        date NOT NULL,
    -- Rows arrived that its sums do not contain.
    dirty      boolean NOT NULL,
    -- When it was added up last; NULL: not yet, so questions read its rows.
    settled_at timestamptz,
    PRIMARY KEY (site_id, day)
);
COMMENT ON TABLE collector.web_analytics_settled IS 'Every day of a site that has rows, and whether its sums are complete.';

CREATE TABLE collector.web_analytics_spools (
    spool      uuid PRIMARY KEY,
    -- Everything before it is stored.
    seq        bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE collector.web_analytics_spools IS 'How far the spool of each ingesting process is delivered; moved by the transaction that stores its rows.';

-- The days that one partition of a table holds, as before: a month of the sums of visits, too, as a question of a year plans each.
CREATE OR REPLACE FUNCTION collector.partition_span(parent text, day date, OUT first date, OUT next date)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.first, (s.first + CASE WHEN s.is_month THEN interval '1 month' ELSE interval '1 day' END)::date
    FROM (SELECT m.is_month, CASE WHEN m.is_month THEN date_trunc('month', day::timestamp)::date ELSE day END AS first
          FROM (SELECT parent IN ('metric_days', 'web_analytics_days', 'web_analytics_hours') AS is_month) m) s
$$;

-- How full the pages of a table's partitions are made, per cent. Visits and views are updated while they last, all of a page within a
-- minute: with room beside each row the update stays on its page and no index changes. Measured at 5,000 events a second: all of views
-- and 97 % of visits at these values, half of the views at 90. collector.web_analytics_pack removes the room when the day is over.
CREATE FUNCTION collector.partition_fill(parent text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE parent WHEN 'web_analytics_page_views_raw' THEN 50 WHEN 'web_analytics_anonymous_views_raw' THEN 50
                       WHEN 'web_analytics_sessions_raw' THEN 60 ELSE 100 END
$$;
REVOKE ALL ON FUNCTION collector.partition_fill(text) FROM PUBLIC;

-- As before, with the room that rows need, and without a value for columns that are computed.
CREATE OR REPLACE FUNCTION collector.ensure_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT bigint := 50000;
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    span    record;
    child   text;
    strays  bigint := 0;
    cols    text;
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
                   'WITH (autovacuum_analyze_threshold = 1000, fillfactor = %s)',
                   child, parent, collector.partition_fill(parent));
    IF strays > 0 THEN
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO cols
        FROM pg_attribute a
        WHERE a.attrelid = format('collector.%I', parent)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        EXECUTE format('WITH moved AS (DELETE FROM collector.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO collector.%I (%s) SELECT %s FROM moved',
                       spare, instant, span.first::timestamptz, instant, span.next::timestamptz, child, cols, cols);
    END IF;
    IF day IS NULL THEN
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I DEFAULT', parent, child);
    ELSE
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, span.first::timestamptz, span.next::timestamptz);
    END IF;
    RETURN true;
END $$;

-- As before, and views, visits and their sums, for as long as the site that asks for the longest time.
CREATE OR REPLACE VIEW collector.kept AS
SELECT k.keep, k.days,
       greatest((now() AT TIME ZONE 'UTC')::date - k.days,
                (SELECT max(c.first_day) FROM collector.retention_cuts c
                 WHERE c.grain = CASE WHEN k.keep IN ('raw', 'brief', 'lines') THEN 'raw' ELSE k.keep END)) AS first_day
FROM (SELECT max(raw_days) AS raw, max(hourly_days) AS hourly, max(long_days) AS long, max(log_days) AS lines,
             max(event_days) AS events
      FROM collector.retention WHERE reported_at > now() - interval '30 days') r
CROSS JOIN (SELECT max(raw_days) AS views, max(session_days) AS visits, max(sum_days) AS sums FROM collector.web_analytics_sites) w
CROSS JOIN LATERAL (VALUES ('raw', r.raw), ('brief', least(r.raw, 1)), ('hourly', r.hourly), ('long', r.long),
                           ('lines', r.lines), ('events', r.events),
                           ('views', w.views), ('visits', w.visits), ('visit_sums', w.sums)) k (keep, days);

-- As before, and words and days of sites whose sums are expired.
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
        WHEN 'sealed_instants' THEN
            DELETE FROM collector.sealed_instants WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN collector.sealed_tables t
                CROSS JOIN LATERAL (SELECT i.ctid FROM collector.sealed_instants i
                                    WHERE i.host_id = h.host_id AND i.table_name = t.table_name AND i.ts < first
                                    LIMIT most) old
                LIMIT most));
        WHEN 'sealed_days' THEN
            DELETE FROM collector.sealed_days d WHERE d.day < first;
        WHEN 'web_analytics_words' THEN
            DELETE FROM collector.web_analytics_words WHERE ctid = ANY (ARRAY(
                SELECT w.ctid FROM collector.web_analytics_words w WHERE w.last_day < first LIMIT most));
        WHEN 'web_analytics_settled' THEN
            DELETE FROM collector.web_analytics_settled WHERE ctid = ANY (ARRAY(
                SELECT s.ctid FROM collector.web_analytics_settled s WHERE s.day < first LIMIT most));
    END CASE;
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;
