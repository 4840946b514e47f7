-- Web analytics: what is real, how it is added up, and sums of closed days.
--
-- Why so: every question counts in one way. collector.web_analytics_count adds up the rows of any span, by the dimensions declared in
-- collector.web_analytics_dimensions; closed days keep its answer (collector.web_analytics_settle), and collector.web_analytics_sums
-- takes each day of a span from where it is cheapest. So a sum cannot differ from what the rows say.
--
-- What questions execute is PARALLEL SAFE: one function that is not makes the whole plan serial.

-- Which bucket of a histogram a span of seconds belongs to: 1 for less than a second, 60 for four hours and more, and between them 58
-- of equal ratio (1.18), so that the middle of one is at most 9 % from any value in it.
CREATE FUNCTION collector.duration_bucket(secs double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN secs < 1 THEN 1 WHEN secs >= 14400 THEN 60 ELSE least(2 + floor(ln(secs) * 58 / ln(14400::double precision))::integer, 59) END
$$;

-- The seconds that a bucket stands for.
CREATE FUNCTION collector.bucket_secs(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN bucket <= 1 THEN 0 WHEN bucket >= 60 THEN 14400 ELSE exp((bucket - 1.5) * ln(14400::double precision) / 58) END
$$;

-- A histogram as an array: how many are in each bucket, up to the last that has any. NULL: nothing is counted.
CREATE FUNCTION collector.tally(buckets integer[], counts bigint[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(coalesce(t.n, 0)::integer ORDER BY b)
    FROM generate_series(1, (SELECT max(m) FROM unnest(buckets) m)) b
    LEFT JOIN (SELECT u.bucket, sum(u.n) AS n FROM unnest(buckets, counts) u (bucket, n) GROUP BY 1) t ON t.bucket = b
$$;

-- Adds two arrays of counts, element by element.
CREATE FUNCTION collector.add_counts(one bigint[], other bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN other IS NULL THEN one WHEN one IS NULL THEN other
                ELSE ARRAY(SELECT coalesce(u.a, 0) + coalesce(u.b, 0) FROM unnest(one, other) u (a, b)) END
$$;
CREATE AGGREGATE collector.sum_counts(bigint[]) (SFUNC = collector.add_counts, STYPE = bigint[], PARALLEL = SAFE);

-- The seconds below which a share of what a histogram counts lies; NULL: it counts nothing.
CREATE FUNCTION collector.tally_quantile(counts bigint[], share double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT collector.bucket_secs(min(r.bucket)::integer)
    FROM (SELECT u.bucket, sum(u.n) OVER (ORDER BY u.bucket) AS running, sum(u.n) OVER () AS whole
          FROM unnest(counts) WITH ORDINALITY u (n, bucket)) r
    WHERE r.whole > 0 AND r.running >= r.whole * share
$$;

-- How wide a screen is, as a word.
CREATE FUNCTION collector.width_class(width smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN width IS NULL THEN '' WHEN width < 576 THEN 'under 576' WHEN width < 992 THEN '576 to 991'
                WHEN width < 1440 THEN '992 to 1439' WHEN width < 1920 THEN '1440 to 1919' ELSE '1920 and more' END
$$;

-- Visits that count: not of a health check, and not of what is probably a program.
CREATE VIEW collector.web_analytics_sessions_real AS
SELECT site_id, ts, session_id, last_seen, visitor_id, entry, exit, source, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
       asn, engaged_ms, duration_secs, capped_secs, width, views, events, interactive, consented, bounce, channel, browser, os, device, language, country
FROM collector.web_analytics_sessions_raw WHERE NOT synthetic AND NOT suspect;
COMMENT ON VIEW collector.web_analytics_sessions_real IS 'Visits that count: neither of a health check nor suspect.';

CREATE VIEW collector.web_analytics_page_views_real AS
SELECT site_id, ts, session_ts, session_id, visitor_id, view_id, page_id, engaged_ms, nth, status, scroll_pct
FROM collector.web_analytics_page_views_raw WHERE NOT synthetic AND NOT suspect;
COMMENT ON VIEW collector.web_analytics_page_views_real IS 'Views that count: neither of a health check nor suspect.';

CREATE VIEW collector.web_analytics_events_real AS
SELECT site_id, ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, kind, props
FROM collector.web_analytics_events_raw WHERE NOT synthetic AND NOT suspect;
COMMENT ON VIEW collector.web_analytics_events_real IS 'Events that count: neither of a health check nor suspect.';

-- The same of what is suspect, for who wants to see it.
CREATE VIEW collector.web_analytics_sessions_suspect AS
SELECT site_id, ts, session_id, last_seen, visitor_id, entry, exit, source, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
       asn, engaged_ms, duration_secs, capped_secs, width, views, events, interactive, consented, bounce, channel, browser, os, device, language, country
FROM collector.web_analytics_sessions_raw WHERE NOT synthetic AND suspect;
COMMENT ON VIEW collector.web_analytics_sessions_suspect IS 'Visits that are probably of programs.';

CREATE VIEW collector.web_analytics_page_views_suspect AS
SELECT site_id, ts, session_ts, session_id, visitor_id, view_id, page_id, engaged_ms, nth, status, scroll_pct
FROM collector.web_analytics_page_views_raw WHERE NOT synthetic AND suspect;
COMMENT ON VIEW collector.web_analytics_page_views_suspect IS 'Views that are probably of programs.';

CREATE VIEW collector.web_analytics_events_suspect AS
SELECT site_id, ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, kind, props
FROM collector.web_analytics_events_raw WHERE NOT synthetic AND suspect;
COMMENT ON VIEW collector.web_analytics_events_suspect IS 'Events that are probably of programs.';

-- Views without a visit.
CREATE VIEW collector.web_analytics_anonymous_views AS
SELECT v.site_id, v.ts AS created_at, p.word AS page_path, p.title AS page_title, s.word AS source, v.device, v.country, nullif(v.status, 0) AS status,
       nullif(v.scroll_pct, 0) AS scroll_depth, v.engaged_ms / 1000.0 AS time_on_page, v.view_id, v.ts, v.page_id, v.engaged_ms
FROM collector.web_analytics_anonymous_views_raw v
LEFT JOIN collector.web_analytics_words p ON p.site_id = v.site_id AND p.word_id = v.page_id
LEFT JOIN collector.web_analytics_words s ON s.site_id = v.site_id AND s.word_id = v.source;
COMMENT ON VIEW collector.web_analytics_anonymous_views IS 'Views without consent: no visitor, no visit.';

CREATE VIEW collector.web_analytics_refused AS
SELECT site_id, ts, reason, detail, sum(count)::bigint AS count FROM collector.web_analytics_refused_raw GROUP BY site_id, ts, reason, detail;
COMMENT ON VIEW collector.web_analytics_refused IS 'Events that were not counted, by minute and reason.';

-- For queries that know the names of before: every visit, those of health checks included, with its texts.
CREATE VIEW collector.web_analytics_sessions AS
SELECT CASE WHEN s.synthetic THEN 'health-check-session' ELSE to_hex(s.session_id) END AS session_id, s.ts AS created_at, s.last_seen,
       s.duration_secs AS session_duration, s.views AS page_views, s.browser, s.os, s.device AS device_type, s.language, s.country, s.asn, s.width AS screen_width,
       s.channel, i.word AS entry_page, o.word AS exit_page, f.word AS source, r.word AS referrer, us.word AS utm_source, um.word AS utm_medium,
       uc.word AS utm_campaign, s.consented, s.bounce AS is_bounce, s.suspect AS is_bot, w.domain AS site, s.site_id
FROM collector.web_analytics_sessions_raw s
JOIN collector.web_analytics_sites w ON w.site_id = s.site_id
LEFT JOIN collector.web_analytics_words i ON i.site_id = s.site_id AND i.word_id = s.entry
LEFT JOIN collector.web_analytics_words o ON o.site_id = s.site_id AND o.word_id = s.exit
LEFT JOIN collector.web_analytics_words f ON f.site_id = s.site_id AND f.word_id = s.source
LEFT JOIN collector.web_analytics_words r ON r.site_id = s.site_id AND r.word_id = s.referrer
LEFT JOIN collector.web_analytics_words us ON us.site_id = s.site_id AND us.word_id = s.utm_source
LEFT JOIN collector.web_analytics_words um ON um.site_id = s.site_id AND um.word_id = s.utm_medium
LEFT JOIN collector.web_analytics_words uc ON uc.site_id = s.site_id AND uc.word_id = s.utm_campaign;
COMMENT ON VIEW collector.web_analytics_sessions IS 'Every visit with its texts, those of health checks included: for queries with session_duration and created_at.';

CREATE VIEW collector.web_analytics_page_views AS
SELECT CASE WHEN v.synthetic THEN 'health-check-session' ELSE to_hex(v.session_id) END AS session_id, v.ts AS created_at, p.word AS page_path,
       p.word AS page_url, p.title AS page_title, nullif(v.scroll_pct, 0) AS scroll_depth, v.engaged_ms / 1000.0 AS time_on_page, nullif(v.status, 0) AS status,
       v.nth AS position_in_session, v.suspect AS is_bot, w.domain AS site, v.site_id
FROM collector.web_analytics_page_views_raw v
JOIN collector.web_analytics_sites w ON w.site_id = v.site_id
LEFT JOIN collector.web_analytics_words p ON p.site_id = v.site_id AND p.word_id = v.page_id;
COMMENT ON VIEW collector.web_analytics_page_views IS 'Every view with its path and title: for queries with page_path and created_at.';

CREATE VIEW collector.web_analytics_events AS
SELECT CASE WHEN e.synthetic THEN 'health-check-session' ELSE to_hex(e.session_id) END AS session_id, e.ts AS created_at, n.word AS event_name,
       (ARRAY['event', 'outbound', 'download', 'form'])[e.kind + 1] AS event_type, p.word AS page_path, e.props AS event_data, e.suspect AS is_bot,
       w.domain AS site, e.site_id
FROM collector.web_analytics_events_raw e
JOIN collector.web_analytics_sites w ON w.site_id = e.site_id
LEFT JOIN collector.web_analytics_words n ON n.site_id = e.site_id AND n.word_id = e.name_id
LEFT JOIN collector.web_analytics_words p ON p.site_id = e.site_id AND p.word_id = e.page_id;
COMMENT ON VIEW collector.web_analytics_events IS 'Every event with its texts.';

-- What figures are kept by. `rows` is what is counted: visits, views, events. `id` is the column of a word's id; where it is NULL, `word`
-- is an expression of the text itself (of s: a visit), and `title` of its second part.
CREATE VIEW collector.web_analytics_dimensions AS
SELECT d.dimension::smallint AS dimension, d.name, d.kind, d.rows, d.id, d.word, d.title FROM (
VALUES (0, 'visit', 'visit', 'total', NULL, NULL, NULL),
       (1, 'page', 'page', 'page', 'page_id', NULL, NULL),
       (2, 'page_time', 'page', 'page_time', 'page_id', NULL, NULL),
       (3, 'engagement', 'engagement', 'total', NULL, NULL, NULL),
       (4, 'source', 'source', 'visits', 'source', NULL, NULL),
       (5, 'referrer', 'referrer', 'visits', 'referrer', NULL, NULL),
       (6, 'channel', 'channel', 'visits', NULL, 's.channel', NULL),
       (7, 'utm_source', 'utm_source', 'visits', 'utm_source', NULL, NULL),
       (8, 'utm_medium', 'utm_medium', 'visits', 'utm_medium', NULL, NULL),
       (9, 'utm_campaign', 'utm_campaign', 'visits', 'utm_campaign', NULL, NULL),
       (10, 'utm_term', 'utm_term', 'visits', 'utm_term', NULL, NULL),
       (11, 'utm_content', 'utm_content', 'visits', 'utm_content', NULL, NULL),
       (12, 'browser', 'browser', 'visits', NULL, 's.browser', NULL),
       (13, 'os', 'os', 'visits', NULL, 's.os', NULL),
       (14, 'browser_os', 'browser_os', 'visits', NULL, 's.browser', 's.os'),
       (15, 'device', 'device', 'visits', NULL, 's.device', NULL),
       (16, 'language', 'language', 'visits', NULL, 's.language', NULL),
       (17, 'country', 'country', 'visits', NULL, 's.country', NULL),
       (18, 'asn', 'asn', 'visits', NULL, 's.asn::text', NULL),
       (19, 'width', 'width', 'visits', NULL, 'collector.width_class(s.width)', NULL),
       (20, 'consent', 'consent', 'visits', NULL, 'CASE WHEN s.consented THEN ''consented'' ELSE ''cookieless'' END', NULL),
       (21, 'event', 'event', 'events', 'name_id', NULL, NULL),
       (22, 'missing', 'missing', 'missing', NULL, NULL, NULL)) d (dimension, name, kind, rows, id, word, title);
COMMENT ON VIEW collector.web_analytics_dimensions IS 'What the figures of visits are kept by.';

-- One condition of a filter on a text: equal, empty for unknown, or with * for any characters.
CREATE FUNCTION collector.web_analytics_matches(expression text, value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN value = '' THEN format('coalesce(%s, '''') = ''''', expression)
                WHEN strpos(value, '*') > 0 THEN format('%s LIKE %L', expression, replace(regexp_replace(value, '([\\%_])', '\\\1', 'g'), '*', '%'))
                ELSE format('%s = %L', expression, value) END
$$;

-- The same of the column of a word's id.
CREATE FUNCTION collector.web_analytics_matches_word(site integer, col text, kind text, value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN value = '' THEN format('%s IS NULL', col)
                WHEN strpos(value, '*') > 0
                THEN format('%s IN (SELECT w.word_id FROM collector.web_analytics_words w WHERE w.site_id = %s AND w.kind = %L AND %s)',
                            col, site, kind, collector.web_analytics_matches('w.word', value))
                ELSE format('%s = %s', col, collector.word_id(kind, value)) END
$$;

-- The condition of filters on a visit `s` that began in a span; NULL: none. Filters are an array of
-- {"dimension": name, "values": [text, …], "not": boolean}: values of one are alternatives, filters must all hold. Dimensions are those of
-- collector.web_analytics_dimensions that visits are counted by, entry and exit (pages), page and event (the visit has one), and prop.KEY
-- (it has an event with such a property). A value is exact, empty for unknown, or has * for any characters. An unknown dimension is an error.
CREATE FUNCTION collector.web_analytics_filter(site integer, since timestamptz, until timestamptz, filters jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item    record;
    dim     record;
    rel     text := collector.web_analytics_rows(filters);
    one     text;
    whole   text;
    has     text := 'EXISTS (SELECT FROM collector.web_analytics_%s_%s x WHERE x.site_id = %s AND x.ts >= %L AND x.ts < %L '
                    'AND x.session_ts = s.ts AND x.session_id = s.session_id AND (%s))';
BEGIN
    FOR item IN
        SELECT f.filter ->> 'dimension' AS name, coalesce((f.filter ->> 'not')::boolean, false) AS is_not,
               ARRAY(SELECT jsonb_array_elements_text(f.filter -> 'values')) AS vals
        FROM jsonb_array_elements(coalesce(filters, '[]')) f (filter)
    LOOP
        CONTINUE WHEN item.name = 'suspect';
        SELECT d.* INTO dim FROM collector.web_analytics_dimensions d WHERE d.name = item.name AND d.rows = 'visits';
        IF FOUND AND dim.id IS NOT NULL THEN
            SELECT string_agg(collector.web_analytics_matches_word(site, 's.' || dim.id, dim.kind, v), ' OR ') INTO one FROM unnest(item.vals) v;
        ELSIF FOUND AND dim.title IS NULL THEN
            SELECT string_agg(collector.web_analytics_matches(dim.word, v), ' OR ') INTO one FROM unnest(item.vals) v;
        ELSIF item.name IN ('entry', 'exit') THEN
            SELECT string_agg(collector.web_analytics_matches_word(site, 's.' || item.name, 'page', v), ' OR ') INTO one FROM unnest(item.vals) v;
        ELSIF item.name = 'page' THEN
            SELECT format(has, 'page_views', rel, site, since, until, string_agg(collector.web_analytics_matches_word(site, 'x.page_id', 'page', v), ' OR '))
            INTO one FROM unnest(item.vals) v;
        ELSIF item.name = 'event' THEN
            SELECT format(has, 'events', rel, site, since, until, string_agg(collector.web_analytics_matches_word(site, 'x.name_id', 'event', v), ' OR '))
            INTO one FROM unnest(item.vals) v;
        ELSIF starts_with(item.name, 'prop.') THEN
            SELECT format(has, 'events', rel, site, since, until,
                          string_agg(collector.web_analytics_matches(format('(x.props ->> %L)', substr(item.name, 6)), v), ' OR '))
            INTO one FROM unnest(item.vals) v;
        ELSE
            RAISE EXCEPTION 'there is no filter by %', item.name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF cardinality(item.vals) = 0 THEN
            RAISE EXCEPTION 'a filter by % needs a value', item.name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        whole := concat_ws(' AND ', whole, CASE WHEN item.is_not THEN format('NOT coalesce(%s, false)', '(' || one || ')') ELSE '(' || one || ')' END);
    END LOOP;
    RETURN whole;
END $$;

-- The rows that filters ask for: real ones, or with {"dimension": "suspect"} those that are probably of programs.
CREATE FUNCTION collector.web_analytics_rows(filters jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN filters @> '[{"dimension": "suspect"}]' THEN 'suspect' ELSE 'real' END
$$;

-- Whether filters ask for less than everything.
CREATE FUNCTION collector.web_analytics_is_filtered(filters jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_array_length(filters), 0) > 0
$$;

-- Adds up the rows of a span by dimensions: one row per dimension and word. `word` is NULL where the word is known by its id; an
-- unknown value is the empty word. Visitors are distinct within the span; as a visitor lives one day of the site, those of
-- several days add up. Entries, exits and bounces of a page are those of visits that began, ended or did both there. What its columns
-- mean is as in collector.web_analytics_days; `durations` is kept of dimensions visit (capped), engagement (engaged time of visits) and
-- page_time (engaged time of views), `scrolls` of page_time.
CREATE FUNCTION collector.web_analytics_count(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL)
RETURNS TABLE (dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint,
               entries bigint, exits bigint, engaged_ms bigint, capped_secs bigint, durations integer[], scrolls integer[])
-- Rows are narrow: without the lower cost the server expects that handing them between processes takes longer than reading alone.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 AS $$
#variable_conflict use_column
DECLARE
    dim   record;
    rel   text := collector.web_analytics_rows(filters);
    cond  text := collector.web_analytics_filter(site, since, until, filters);
    -- Visits, views and events of the span.
    s     text := format('collector.web_analytics_sessions_%s s WHERE s.site_id = %s AND s.ts >= %L AND s.ts < %L AND %s',
                         rel, site, since, until, coalesce(cond, 'true'));
    -- Those of other rows: of visits that meet the filters.
    of    text := CASE WHEN cond IS NULL THEN 'true' ELSE
                      format('EXISTS (SELECT FROM %s AND s.ts = x.session_ts AND s.session_id = x.session_id)', s) END;
    x     text := format('collector.web_analytics_%%s_%s x WHERE x.site_id = %s AND x.ts >= %L AND x.ts < %L AND %s', rel, site, since, until, replace(of, '%', '%%'));
    v     text := format(x, 'page_views');
BEGIN
    FOR dim IN SELECT d.* FROM collector.web_analytics_dimensions d WHERE d.dimension = ANY (dimensions) ORDER BY d.dimension LOOP
        CASE dim.rows
        WHEN 'total' THEN
            -- Both are read once.
            CONTINUE WHEN dim.name = 'engagement' AND 0 = ANY (dimensions);
            RETURN QUERY EXECUTE format(
                'WITH s AS MATERIALIZED (SELECT s.visitor_id, s.views, s.bounce, s.engaged_ms, s.capped_secs FROM %s), '
                'secs AS (SELECT s.capped_secs, count(*) AS visits, sum(s.views)::bigint AS views, count(*) FILTER (WHERE s.bounce) AS bounces, '
                'sum(s.engaged_ms)::bigint AS engaged_ms FROM s GROUP BY s.capped_secs), '
                'engaged AS (SELECT s.engaged_ms / 1000 AS secs, count(*) AS visits, sum(s.engaged_ms)::bigint AS engaged_ms FROM s GROUP BY 1) '
                'SELECT 0::smallint, 0::bigint, ''''::text, NULL::text, (SELECT count(DISTINCT s.visitor_id) FROM s), sum(g.visits)::bigint, sum(g.views)::bigint, '
                'sum(g.bounces)::bigint, sum(g.visits)::bigint, sum(g.visits)::bigint, sum(g.engaged_ms)::bigint, sum(g.capped_secs * g.visits)::bigint, '
                'collector.tally(array_agg(collector.duration_bucket(g.capped_secs)), array_agg(g.visits)), NULL::integer[] '
                'FROM secs g WHERE %L HAVING count(*) > 0 '
                'UNION ALL SELECT 3::smallint, 0, '''', NULL, 0, sum(e.visits)::bigint, 0, 0, 0, 0, sum(e.engaged_ms)::bigint, 0, '
                'collector.tally(array_agg(collector.duration_bucket(e.secs)), array_agg(e.visits)), NULL::integer[] '
                'FROM engaged e WHERE %L HAVING count(*) > 0', s, 0 = ANY (dimensions), 3 = ANY (dimensions));
        WHEN 'page' THEN
            -- With filters the visits that meet them are found once. Groups of groups are hashed; two counts of what is distinct sort twice.
            RETURN QUERY EXECUTE format(
                'WITH s AS %3$s (SELECT s.ts, s.session_id, s.entry, s.exit, s.bounce, s.capped_secs FROM %2$s) '
                'SELECT 1::smallint, page, NULL::text, NULL::text, coalesce(y.visitors, 0), coalesce(y.visits, 0), coalesce(y.views, 0), coalesce(z.bounces, 0)::bigint, '
                'coalesce(z.entries, 0)::bigint, coalesce(z.exits, 0)::bigint, coalesce(y.engaged_ms, 0), coalesce(z.capped_secs, 0)::bigint, NULL::integer[], NULL::integer[] '
                'FROM (SELECT w.page_id AS page, count(*) AS visitors, sum(w.visits)::bigint AS visits, sum(w.views)::bigint AS views, sum(w.engaged_ms)::bigint AS engaged_ms '
                'FROM (SELECT o.page_id, o.visitor_id, count(*) AS visits, sum(o.views) AS views, sum(o.engaged_ms) AS engaged_ms '
                'FROM (SELECT x.page_id, x.visitor_id, x.session_id, count(*) AS views, sum(x.engaged_ms) AS engaged_ms FROM %1$s GROUP BY 1, 2, 3) o '
                'GROUP BY 1, 2) w GROUP BY w.page_id) y '
                'FULL JOIN (SELECT p.page, sum(p.bounces) AS bounces, sum(p.entries) AS entries, sum(p.exits) AS exits, sum(p.capped_secs) AS capped_secs '
                'FROM (SELECT s.entry AS page, count(*) AS entries, count(*) FILTER (WHERE s.bounce) AS bounces, 0 AS exits, sum(s.capped_secs) AS capped_secs '
                'FROM s WHERE s.entry IS NOT NULL GROUP BY s.entry '
                'UNION ALL SELECT s.exit, 0, 0, count(*), 0 FROM s WHERE s.exit IS NOT NULL GROUP BY s.exit) p GROUP BY p.page) z USING (page)',
                CASE WHEN cond IS NULL THEN v
                     ELSE format('collector.web_analytics_page_views_%s x WHERE x.site_id = %s AND x.ts >= %L AND x.ts < %L AND (x.session_ts, x.session_id) IN (SELECT s.ts, s.session_id FROM s)',
                                 rel, site, since, until) END,
                s, CASE WHEN cond IS NULL THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END);
        WHEN 'page_time' THEN
            RETURN QUERY EXECUTE format(
                'SELECT 2::smallint, t.page_id, NULL::text, NULL::text, 0::bigint, 0::bigint, sum(t.n)::bigint, 0::bigint, 0::bigint, 0::bigint, sum(t.engaged_ms)::bigint, 0::bigint, '
                'collector.tally(array_agg(collector.duration_bucket(t.secs)), array_agg(t.n)), '
                'ARRAY[sum(t.measured), sum(t.depth), sum(t.to_25), sum(t.to_50), sum(t.to_75), sum(t.to_90)]::integer[] '
                'FROM (SELECT x.page_id, x.engaged_ms / 1000 AS secs, count(*) AS n, sum(x.engaged_ms) AS engaged_ms, '
                'count(*) FILTER (WHERE x.scroll_pct > 0) AS measured, sum(x.scroll_pct) AS depth, count(*) FILTER (WHERE x.scroll_pct >= 25) AS to_25, '
                'count(*) FILTER (WHERE x.scroll_pct >= 50) AS to_50, count(*) FILTER (WHERE x.scroll_pct >= 75) AS to_75, '
                'count(*) FILTER (WHERE x.scroll_pct >= 90) AS to_90 FROM %s GROUP BY 1, 2) t GROUP BY t.page_id', v);
        WHEN 'visits' THEN
            RETURN QUERY EXECUTE format(
                'SELECT %1$s::smallint, %2$s, %3$s, %4$s, g.visitors, g.visits, g.views, g.bounces, g.visits, g.visits, g.engaged_ms, g.capped_secs, NULL::integer[], NULL::integer[] '
                'FROM (SELECT %5$s AS word, %6$s AS title, count(DISTINCT s.visitor_id) AS visitors, count(*) AS visits, sum(s.views)::bigint AS views, '
                'count(*) FILTER (WHERE s.bounce) AS bounces, sum(s.engaged_ms)::bigint AS engaged_ms, sum(s.capped_secs)::bigint AS capped_secs FROM %7$s GROUP BY 1, 2) g',
                dim.dimension,
                CASE WHEN dim.id IS NOT NULL THEN format('coalesce(g.word, %s)', collector.word_id(dim.kind, ''))
                     WHEN dim.title IS NOT NULL THEN format('collector.word_id(%L, concat_ws(E''\t'', g.word, g.title))', dim.kind)
                     ELSE format('collector.word_id(%L, g.word)', dim.kind) END,
                CASE WHEN dim.id IS NOT NULL THEN 'CASE WHEN g.word IS NULL THEN '''' END' ELSE 'g.word' END,
                CASE WHEN dim.title IS NOT NULL THEN 'g.title' ELSE 'NULL::text' END,
                coalesce('s.' || dim.id, format('coalesce(%s, '''')', dim.word)),
                CASE WHEN dim.title IS NOT NULL THEN format('coalesce(%s, '''')', dim.title) ELSE 'NULL::text' END, s);
        WHEN 'events' THEN
            RETURN QUERY EXECUTE format(
                'SELECT 21::smallint, x.name_id, NULL::text, NULL::text, count(DISTINCT x.visitor_id), count(DISTINCT x.session_id), count(*), 0::bigint, 0::bigint, 0::bigint, '
                '0::bigint, 0::bigint, NULL::integer[], NULL::integer[] FROM %s GROUP BY x.name_id', format(x, 'events'));
        WHEN 'missing' THEN
            RETURN QUERY EXECUTE format(
                'SELECT 22::smallint, collector.word_id(''missing'', concat_ws(E''\t'', g.word, g.title)), g.word, g.title, g.visitors, g.visits, g.views, 0::bigint, 0::bigint, 0::bigint, '
                '0::bigint, 0::bigint, NULL::integer[], NULL::integer[] '
                'FROM (SELECT coalesce(p.word, '''') AS word, coalesce(r.word, '''') AS title, count(DISTINCT m.visitor_id) AS visitors, count(DISTINCT m.session_id) AS visits, count(*) AS views '
                'FROM (SELECT x.* FROM %s AND x.status = 404) m '
                'LEFT JOIN collector.web_analytics_sessions_%s o ON o.site_id = m.site_id AND o.ts = m.session_ts AND o.session_id = m.session_id AND o.ts >= %L AND o.ts < %L '
                'LEFT JOIN collector.web_analytics_words p ON p.site_id = m.site_id AND p.word_id = m.page_id '
                'LEFT JOIN collector.web_analytics_words r ON r.site_id = m.site_id AND r.word_id = o.referrer GROUP BY 1, 2) g', v, rel, since, until);
        END CASE;
    END LOOP;
END $$;

-- Adds up a span by hours: of visits by their beginning, of views and anonymous views by their instant.
CREATE FUNCTION collector.web_analytics_count_hours(site integer, since timestamptz, until timestamptz, filters jsonb DEFAULT NULL)
RETURNS TABLE (bucket timestamptz, visitors bigint, visits bigint, views bigint, bounces bigint, anonymous bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 AS $$
#variable_conflict use_column
DECLARE
    zone text := (SELECT w.time_zone FROM collector.web_analytics_sites w WHERE w.site_id = site);
    rel  text := collector.web_analytics_rows(filters);
    cond text := collector.web_analytics_filter(site, since, until, filters);
    s    text := format('collector.web_analytics_sessions_%s s WHERE s.site_id = %s AND s.ts >= %L AND s.ts < %L AND %s',
                        rel, site, since, until, coalesce(cond, 'true'));
    of   text := CASE WHEN cond IS NULL THEN 'true' ELSE
                     format('EXISTS (SELECT FROM %s AND s.ts = x.session_ts AND s.session_id = x.session_id)', s) END;
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT a.bucket, sum(a.visitors)::bigint, sum(a.visits)::bigint, sum(a.views)::bigint, sum(a.bounces)::bigint, sum(a.anonymous)::bigint FROM ('
        'SELECT date_trunc(''hour'', s.ts, %1$L) AS bucket, count(DISTINCT s.visitor_id) AS visitors, count(*) AS visits, 0 AS views, '
        'count(*) FILTER (WHERE s.bounce) AS bounces, 0 AS anonymous FROM %2$s GROUP BY 1 '
        'UNION ALL SELECT date_trunc(''hour'', x.ts, %1$L), 0, 0, count(*), 0, 0 FROM collector.web_analytics_page_views_%3$s x '
        'WHERE x.site_id = %4$s AND x.ts >= %5$L AND x.ts < %6$L AND %7$s GROUP BY 1 '
        -- A filter on visits has no anonymous views.
        'UNION ALL SELECT date_trunc(''hour'', x.ts, %1$L), 0, 0, 0, 0, count(*) FROM collector.web_analytics_anonymous_views x '
        'WHERE x.site_id = %4$s AND x.ts >= %5$L AND x.ts < %6$L AND NOT %8$L::boolean GROUP BY 1) a GROUP BY a.bucket',
        zone, s, rel, site, since, until, of, collector.web_analytics_is_filtered(filters));
END $$;

-- Days that are over for two hours and have rows which their sums lack, oldest first, at most 100: for collector.web_analytics_settle.
CREATE FUNCTION collector.web_analytics_due() RETURNS TABLE (site_id integer, day date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.site_id, s.day FROM collector.web_analytics_settled s
    JOIN collector.web_analytics_sites w USING (site_id)
    WHERE s.dirty AND (s.day + 1)::timestamp AT TIME ZONE w.time_zone <= now() - interval '2 hours'
    ORDER BY s.day, s.site_id LIMIT 100
$$;

-- Adds up a day of a site, again if rows came late, and returns whether it did. Nothing happens before the day is over for two hours, or
-- when nothing came. A day whose rows are expired keeps the sums it has. Whoever stores rows of the day meanwhile waits
-- (collector.web_analytics_note), and the day is due again. At most 1,000 words of a dimension are kept, those of the most visits and
-- views; the others are one word, (other), whose visitors may count one visitor several times. Of page_time it is 250: each has two arrays, and
-- to add up a month of 1,000 took half a second.
CREATE FUNCTION collector.web_analytics_settle(site integer, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    most  CONSTANT integer := 1000;
    timed CONSTANT integer := 250;
    since timestamptz := collector.web_analytics_midnight(site, web_analytics_settle.day);
    until timestamptz := collector.web_analytics_midnight(site, web_analytics_settle.day + 1);
    state record;
BEGIN
    IF until IS NULL OR until > now() - interval '2 hours' THEN
        RETURN false;
    END IF;
    SELECT s.dirty, s.settled_at INTO state FROM collector.web_analytics_settled s
    WHERE s.site_id = site AND s.day = web_analytics_settle.day FOR UPDATE;
    IF NOT FOUND OR NOT state.dirty THEN
        RETURN false;
    END IF;
    IF state.settled_at IS NOT NULL AND web_analytics_settle.day < (SELECT k.first_day FROM collector.kept k WHERE k.keep = 'views') THEN
        UPDATE collector.web_analytics_settled s SET dirty = false WHERE s.site_id = site AND s.day = web_analytics_settle.day;
        RETURN false;
    END IF;
    DELETE FROM collector.web_analytics_days d WHERE d.site_id = site AND d.bucket = web_analytics_settle.day;
    DELETE FROM collector.web_analytics_hours h WHERE h.site_id = site AND h.bucket >= since AND h.bucket < until;
    -- A statement of its own, so that it sees what was committed while the row of the day was waited for.
    WITH counted AS MATERIALIZED (
        SELECT c.*, row_number() OVER (PARTITION BY c.dimension ORDER BY c.visits DESC, c.views DESC, c.word_id)
                    <= CASE d.name WHEN 'page_time' THEN timed ELSE most END AS is_kept, d.kind
        FROM collector.web_analytics_count(site, since, until, ARRAY(SELECT x.dimension FROM collector.web_analytics_dimensions x)) c
        JOIN collector.web_analytics_dimensions d USING (dimension)
    ), kept AS (
        SELECT c.dimension, c.word_id, c.word, c.title, c.kind, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms,
               c.capped_secs, c.durations, c.scrolls
        FROM counted c WHERE c.is_kept
        UNION ALL
        SELECT c.dimension, collector.word_id(c.kind, '(other)'), '(other)', NULL, c.kind, sum(c.visitors), sum(c.visits), sum(c.views), sum(c.bounces),
               sum(c.entries), sum(c.exits), sum(c.engaged_ms), sum(c.capped_secs), NULL, NULL
        FROM counted c WHERE NOT c.is_kept GROUP BY c.dimension, c.kind
    ), words AS (
        INSERT INTO collector.web_analytics_words AS w (site_id, word_id, kind, word, title, last_day)
        SELECT DISTINCT ON (k.word_id) site, k.word_id, k.kind, k.word, k.title, web_analytics_settle.day FROM kept k WHERE k.word IS NOT NULL
        ON CONFLICT (site_id, word_id) DO UPDATE SET last_day = greatest(w.last_day, excluded.last_day) WHERE w.last_day < excluded.last_day
    )
    INSERT INTO collector.web_analytics_days
        (bucket, site_id, dimension, word_id, visitors, visits, views, bounces, entries, exits, engaged_ms, capped_secs, durations, scrolls)
    SELECT web_analytics_settle.day, site, k.dimension, k.word_id, k.visitors, k.visits, k.views, k.bounces, k.entries, k.exits, k.engaged_ms,
           k.capped_secs, k.durations, k.scrolls
    FROM kept k ORDER BY k.dimension, k.word_id;
    INSERT INTO collector.web_analytics_hours (bucket, site_id, visitors, visits, views, bounces, anonymous)
    SELECT h.bucket, site, h.visitors, h.visits, h.views, h.bounces, h.anonymous
    FROM collector.web_analytics_count_hours(site, since, until) h;
    UPDATE collector.web_analytics_settled s SET dirty = false, settled_at = now() WHERE s.site_id = site AND s.day = web_analytics_settle.day;
    RETURN true;
END $$;

-- Rewrites the partitions of a day (UTC) without the room that updates needed, in the order of their index, and returns whether it did. A day
-- is left alone while a site's day may reach into it, and when it is packed already (the server notes it: pg_index.indisclustered).
-- Readers of the day wait for as long as the rewriting takes, a second for 300,000 views; whoever has a lock is not waited for long.
CREATE FUNCTION collector.web_analytics_pack(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET maintenance_work_mem = '128MB' AS $$
DECLARE
    part   record;
    packed boolean := false;
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date - 2 THEN
        RETURN false;
    END IF;
    FOR part IN
        SELECT c.oid::regclass AS tab, k.relname AS key
        FROM unnest(ARRAY['web_analytics_sessions_raw', 'web_analytics_page_views_raw', 'web_analytics_events_raw',
                          'web_analytics_anonymous_views_raw']) t (name)
        JOIN pg_class c ON c.relnamespace = 'collector'::regnamespace AND c.relname = t.name || '_' || to_char(day, 'YYYYMMDD')
        JOIN pg_index x ON x.indrelid = c.oid AND NOT x.indisclustered
        JOIN pg_class k ON k.oid = x.indexrelid
    LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 100)', part.tab);
        EXECUTE format('CLUSTER %s USING %I', part.tab, part.key);
        packed := true;
    END LOOP;
    RETURN packed;
END $$;

-- The other functions run with the rights of whoever asks.
REVOKE ALL ON FUNCTION collector.web_analytics_due() FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_settle(integer, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_pack(date) FROM PUBLIC;
