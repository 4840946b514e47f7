-- Web analytics: what questions have in common.
--
-- Why so: a question names a site, days of the site, a period to compare with and filters. Where its figures come from, sums or
-- rows, is decided here once, so the statement of a question is what it shows and nothing else.

-- The instants of days `first` to `last` of a site, and of the period to compare with: 'previous' is as many days before, 'year' the same
-- days a year before, 'none' nothing. What is not over ends now, and the compared period at the same time of its last day.
CREATE FUNCTION collector.web_analytics_span(site integer, first date, last date, compare text,
                                             OUT since timestamptz, OUT until timestamptz, OUT zone text, OUT back interval,
                                             OUT compared_since timestamptz, OUT compared_until timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.since, p.until, p.zone, p.back,
           (p.since AT TIME ZONE p.zone - p.back) AT TIME ZONE p.zone, (p.until AT TIME ZONE p.zone - p.back) AT TIME ZONE p.zone
    FROM (SELECT first::timestamp AT TIME ZONE s.time_zone AS since, greatest(first::timestamp AT TIME ZONE s.time_zone,
                 least((last + 1)::timestamp AT TIME ZONE s.time_zone, now())) AS until, s.time_zone AS zone,
                 CASE compare WHEN 'previous' THEN (last - first + 1) * interval '1 day' WHEN 'year' THEN interval '1 year' END AS back
          FROM collector.web_analytics_sites s WHERE s.site_id = site) p
$$;

-- The figures of a span by dimensions: closed days from their sums, what is open, cut in the middle or filtered from rows. There may be
-- several rows of a word, one of the closed days and one of each other part: they add up. Columns as those of
-- collector.web_analytics_count.
CREATE FUNCTION collector.web_analytics_sums(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL)
RETURNS TABLE (dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint,
               entries bigint, exits bigint, engaged_ms bigint, capped_secs bigint, durations bigint[], scrolls bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    first date;
    next  date;
    open  record;
BEGIN
    IF since IS NULL OR until IS NULL OR since >= until THEN
        RETURN;
    END IF;
    IF collector.web_analytics_is_filtered(filters) THEN
        RETURN QUERY
            SELECT c.dimension, c.word_id, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms, c.capped_secs,
                   c.durations::bigint[], c.scrolls::bigint[]
            FROM collector.web_analytics_count(site, since, until, dimensions, filters) c;
        RETURN;
    END IF;
    -- Whole days of the span: from `first`, before `next`.
    first := collector.web_analytics_day(site, since);
    IF collector.web_analytics_midnight(site, first) < since THEN
        first := first + 1;
    END IF;
    next := greatest(first, collector.web_analytics_day(site, until));
    RETURN QUERY
        SELECT d.dimension, d.word_id, NULL::text, NULL::text, sum(d.visitors), sum(d.visits), sum(d.views), sum(d.bounces), sum(d.entries), sum(d.exits),
               sum(d.engaged_ms)::bigint, sum(d.capped_secs)::bigint,
               collector.sum_counts(d.durations) FILTER (WHERE d.durations IS NOT NULL), collector.sum_counts(d.scrolls) FILTER (WHERE d.scrolls IS NOT NULL)
        FROM collector.web_analytics_days d
        WHERE d.site_id = site AND d.dimension = ANY (dimensions) AND d.bucket >= first AND d.bucket < next
        GROUP BY d.dimension, d.word_id;
    FOR open IN
        -- Days that have rows and no sums, and what remains at both ends.
        SELECT q.since, q.until
        FROM (SELECT since, least(until, collector.web_analytics_midnight(site, first))
              UNION ALL SELECT greatest(since, collector.web_analytics_midnight(site, next)), until
              UNION ALL SELECT collector.web_analytics_midnight(site, s.day), collector.web_analytics_midnight(site, s.day + 1)
              FROM collector.web_analytics_settled s
              WHERE s.site_id = site AND s.settled_at IS NULL AND s.day >= first AND s.day < next) q (since, until)
        WHERE q.since < q.until
    LOOP
        RETURN QUERY
            SELECT c.dimension, c.word_id, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms, c.capped_secs,
                   c.durations::bigint[], c.scrolls::bigint[]
            FROM collector.web_analytics_count(site, open.since, open.until, dimensions) c;
    END LOOP;
END $$;

-- The words of one dimension over a span with the figures of both periods, `compared_` those of the other one (0 when nothing is compared).
-- A word of the compared period alone has no row.
CREATE FUNCTION collector.web_analytics_table(site integer, first date, last date, compare text, dimension_name text, filters jsonb)
RETURNS TABLE (word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint, entries bigint, exits bigint, engaged_ms bigint,
               capped_secs bigint, durations bigint[], scrolls bigint[], compared_visitors bigint, compared_visits bigint, compared_views bigint,
               compared_bounces bigint, compared_entries bigint, compared_exits bigint, compared_engaged_ms bigint, compared_capped_secs bigint,
               compared_durations bigint[], compared_scrolls bigint[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH dim AS (SELECT d.dimension, d.kind FROM collector.web_analytics_dimensions d WHERE d.name = dimension_name),
    span AS (SELECT * FROM collector.web_analytics_span(site, first, last, compare)),
    one AS (
        SELECT u.word_id, max(u.word) AS word, max(u.title) AS title, sum(u.visitors)::bigint AS visitors, sum(u.visits)::bigint AS visits, sum(u.views)::bigint AS views,
               sum(u.bounces)::bigint AS bounces, sum(u.entries)::bigint AS entries, sum(u.exits)::bigint AS exits, sum(u.engaged_ms)::bigint AS engaged_ms,
               sum(u.capped_secs)::bigint AS capped_secs, collector.sum_counts(u.durations) FILTER (WHERE u.durations IS NOT NULL) AS durations, collector.sum_counts(u.scrolls) FILTER (WHERE u.scrolls IS NOT NULL) AS scrolls
        FROM span, dim, collector.web_analytics_sums(site, span.since, span.until, ARRAY[dim.dimension], filters) u
        GROUP BY u.word_id
    ), other AS (
        SELECT u.word_id, sum(u.visitors)::bigint AS visitors, sum(u.visits)::bigint AS visits, sum(u.views)::bigint AS views,
               sum(u.bounces)::bigint AS bounces, sum(u.entries)::bigint AS entries, sum(u.exits)::bigint AS exits, sum(u.engaged_ms)::bigint AS engaged_ms,
               sum(u.capped_secs)::bigint AS capped_secs, collector.sum_counts(u.durations) FILTER (WHERE u.durations IS NOT NULL) AS durations, collector.sum_counts(u.scrolls) FILTER (WHERE u.scrolls IS NOT NULL) AS scrolls
        FROM span, dim, collector.web_analytics_sums(site, span.compared_since, span.compared_until, ARRAY[dim.dimension], filters) u
        GROUP BY u.word_id
    )
    SELECT coalesce(one.word, w.word, '#' || to_hex(one.word_id)), coalesce(one.title, w.title), one.visitors, one.visits, one.views, one.bounces, one.entries,
           one.exits, one.engaged_ms, one.capped_secs, one.durations, one.scrolls, coalesce(other.visitors, 0), coalesce(other.visits, 0),
           coalesce(other.views, 0), coalesce(other.bounces, 0), coalesce(other.entries, 0), coalesce(other.exits, 0),
           coalesce(other.engaged_ms, 0), coalesce(other.capped_secs, 0), other.durations, other.scrolls
    FROM one
    LEFT JOIN other USING (word_id)
    LEFT JOIN collector.web_analytics_words w ON w.site_id = site AND w.word_id = one.word_id
$$;

-- Visits and views by hours ('hour') or days ('day') of the site's zone, beginnings of which are instants; those with none have no row.
CREATE FUNCTION collector.web_analytics_curve(site integer, since timestamptz, until timestamptz, grain text, filters jsonb)
RETURNS TABLE (bucket timestamptz, visitors bigint, visits bigint, views bigint, bounces bigint, anonymous bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    is_filtered boolean := collector.web_analytics_is_filtered(filters);
    day         record;
BEGIN
    IF since IS NULL OR until IS NULL OR since >= until THEN
        RETURN;
    END IF;
    FOR day IN
        SELECT greatest(m.midnight, since) AS since, least(m.next, until) AS until,
               NOT is_filtered AND s.settled_at IS NOT NULL AND m.midnight >= since AND m.next <= until AS is_summed, m.midnight, s.day
        FROM collector.web_analytics_settled s
        CROSS JOIN LATERAL (SELECT collector.web_analytics_midnight(site, s.day) AS midnight, collector.web_analytics_midnight(site, s.day + 1) AS next) m
        WHERE s.site_id = site AND s.day >= collector.web_analytics_day(site, since) AND s.day <= collector.web_analytics_day(site, until)
          AND m.midnight < until
        ORDER BY s.day
    LOOP
        IF day.is_summed AND grain = 'hour' THEN
            RETURN QUERY SELECT h.bucket, h.visitors::bigint, h.visits::bigint, h.views::bigint, h.bounces::bigint, h.anonymous::bigint
                         FROM collector.web_analytics_hours h WHERE h.site_id = site AND h.bucket >= day.since AND h.bucket < day.until;
        ELSIF day.is_summed THEN
            RETURN QUERY SELECT day.midnight, coalesce(d.visitors, 0)::bigint, coalesce(d.visits, 0)::bigint, coalesce(d.views, 0)::bigint, coalesce(d.bounces, 0)::bigint,
                                (SELECT coalesce(sum(h.anonymous), 0)::bigint FROM collector.web_analytics_hours h
                                 WHERE h.site_id = site AND h.bucket >= day.since AND h.bucket < day.until)
                         FROM (SELECT) one
                         LEFT JOIN collector.web_analytics_days d ON d.site_id = site AND d.bucket = day.day AND d.dimension = 0;
        ELSIF grain = 'hour' THEN
            RETURN QUERY SELECT * FROM collector.web_analytics_count_hours(site, day.since, day.until, filters);
        ELSE
            RETURN QUERY SELECT day.midnight, coalesce(c.visitors, 0), coalesce(c.visits, 0), coalesce(c.views, 0), coalesce(c.bounces, 0),
                                CASE WHEN is_filtered THEN 0 ELSE (SELECT count(*) FROM collector.web_analytics_anonymous_views a
                                                                   WHERE a.site_id = site AND a.ts >= day.since AND a.ts < day.until) END
                         FROM (SELECT) one
                         LEFT JOIN collector.web_analytics_count(site, day.since, day.until, '{0}', filters) c ON true;
        END IF;
    END LOOP;
END $$;

-- The condition of a step of a funnel, or of a goal, on a view `v` or an event `e`: {"page": path or pattern} or {"event": name or pattern}.
-- Rows of the other kind do not meet it.
CREATE FUNCTION collector.web_analytics_step(site integer, step jsonb, is_event boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN is_event AND step ? 'event' THEN collector.web_analytics_matches_word(site, 'e.name_id', 'event', step ->> 'event')
                WHEN NOT is_event AND step ? 'page' THEN collector.web_analytics_matches_word(site, 'v.page_id', 'page', step ->> 'page')
                ELSE 'false' END
$$;

-- Restricts rows `of` other kinds (an alias of views or events) to those of visits that meet a condition on `s`; NULL: any.
CREATE FUNCTION collector.web_analytics_of_visits(of text, kind text, site integer, since timestamptz, until timestamptz, condition text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN condition IS NULL THEN 'true' ELSE format(
        'EXISTS (SELECT FROM collector.web_analytics_sessions_%2$s s WHERE s.site_id = %3$s AND s.ts >= %4$L AND s.ts < %5$L AND s.ts = %1$s.session_ts AND s.session_id = %1$s.session_id AND %6$s)',
        of, kind, site, since, until, condition) END
$$;

-- How many visitors reached each step of a funnel, in this order within a day of the site: one pass over the views and events that any step
-- is about. Steps are an array of two to eight conditions (collector.web_analytics_step). Each visitor's rows become a text of letters, one
-- for each set of steps that a row meets, in the order of time; a step is reached when the text has the letters of the steps up to it
-- in their order.
CREATE FUNCTION collector.web_analytics_funnel(site integer, since timestamptz, until timestamptz, steps jsonb, filters jsonb)
RETURNS TABLE (step integer, visitors bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 AS $$
DECLARE
    n     integer := jsonb_array_length(steps);
    rel   text := collector.web_analytics_rows(filters);
    cond  text := collector.web_analytics_filter(site, since, until, filters);
    parts text;
BEGIN
    IF n NOT BETWEEN 2 AND 8 THEN
        RAISE EXCEPTION 'a funnel has two to eight steps' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF since IS NULL OR until IS NULL THEN
        RETURN;
    END IF;
    -- A row's letter is the set of steps that it meets, as bits above U+0100: no letter is special in a pattern.
    SELECT string_agg(format(
        'SELECT x.visitor_id, x.ts, chr(256 + x.bits) AS letter FROM (SELECT %1$s.visitor_id, %1$s.ts, %2$s AS bits FROM collector.web_analytics_%3$s_%4$s %1$s '
        'WHERE %1$s.site_id = %5$s AND %1$s.ts >= %6$L AND %1$s.ts < %7$L AND (%8$s) AND %9$s) x',
        t.alias,
        (SELECT string_agg(format('CASE WHEN %s THEN %s ELSE 0 END', collector.web_analytics_step(site, u.s, t.is_event), 1 << (u.nth - 1)::integer), ' + ')
         FROM jsonb_array_elements(steps) WITH ORDINALITY u (s, nth)),
        t.name, rel, site, since, until,
        (SELECT string_agg(collector.web_analytics_step(site, u.s, t.is_event), ' OR ') FROM jsonb_array_elements(steps) u (s)),
        collector.web_analytics_of_visits(t.alias, rel, site, since, until, cond)), ' UNION ALL ')
    INTO parts
    FROM (VALUES ('v', 'page_views', false, 'page'), ('e', 'events', true, 'event')) t (alias, name, is_event, key)
    WHERE EXISTS (SELECT FROM jsonb_array_elements(steps) u (s) WHERE u.s ? t.key);
    IF parts IS NULL THEN
        RAISE EXCEPTION 'a step of a funnel is a page or an event' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT k.step, coalesce(sum(y.n), 0)::bigint FROM generate_series(1, %1$s) k (step) '
        'CROSS JOIN LATERAL (SELECT string_agg(format(''[%%s]'', (SELECT string_agg(chr(256 + b), '''') FROM generate_series(1, %2$s) b WHERE b & (1 << (i - 1)) > 0)), ''.*'' ORDER BY i) AS pattern '
        'FROM generate_series(1, k.step) i) p '
        'LEFT JOIN (SELECT z.path, count(*) AS n FROM (SELECT string_agg(o.letter, '''') AS path FROM (SELECT * FROM (%3$s) a ORDER BY a.visitor_id, a.ts) o GROUP BY o.visitor_id) z GROUP BY z.path) y '
        'ON y.path ~ p.pattern GROUP BY k.step ORDER BY k.step', n, (1 << n) - 1, parts);
END $$;

-- How many visitors met each goal, and how often: goals are an array of {"name": text} with a condition (collector.web_analytics_step).
CREATE FUNCTION collector.web_analytics_goals(site integer, since timestamptz, until timestamptz, goals jsonb, filters jsonb)
RETURNS TABLE (name text, visitors bigint, count bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 AS $$
DECLARE
    rel  text := collector.web_analytics_rows(filters);
    cond text := collector.web_analytics_filter(site, since, until, filters);
    goal record;
BEGIN
    IF since IS NULL OR until IS NULL THEN
        RETURN;
    END IF;
    FOR goal IN
        SELECT g.goal AS condition, g.goal ? 'event' AS is_event, CASE WHEN g.goal ? 'event' THEN 'e' ELSE 'v' END AS alias
        FROM jsonb_array_elements(goals) WITH ORDINALITY g (goal, nth) ORDER BY g.nth
    LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %1$L, count(DISTINCT %2$s.visitor_id), count(*) FROM collector.web_analytics_%3$s_%4$s %2$s '
            'WHERE %2$s.site_id = %5$s AND %2$s.ts >= %6$L AND %2$s.ts < %7$L AND (%8$s) AND %9$s',
            goal.condition ->> 'name', goal.alias, CASE WHEN goal.is_event THEN 'events' ELSE 'page_views' END, rel, site, since, until,
            collector.web_analytics_step(site, goal.condition, goal.is_event),
            collector.web_analytics_of_visits(goal.alias, rel, site, since, until, cond));
    END LOOP;
END $$;

-- The views just before (`is_before`) and after those of one page in the same visits, by page. An empty word: the visit began or ended there.
CREATE FUNCTION collector.web_analytics_flow(site integer, since timestamptz, until timestamptz, page text, filters jsonb)
RETURNS TABLE (is_before boolean, word text, title text, views bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 AS $$
DECLARE
    rel  text := collector.web_analytics_rows(filters);
    cond text := collector.web_analytics_filter(site, since, until, filters);
BEGIN
    RETURN QUERY EXECUTE format(
        'WITH h AS NOT MATERIALIZED (SELECT v.session_id, v.nth FROM collector.web_analytics_page_views_%1$s v '
        'WHERE v.site_id = %2$s AND v.ts >= %3$L AND v.ts < %4$L AND v.page_id = %5$s AND %6$s), '
        'b AS (SELECT o.nth < h.nth AS is_before, o.page_id, count(*) AS views FROM collector.web_analytics_page_views_%1$s o '
        'JOIN h ON o.session_id = h.session_id AND (o.nth = h.nth - 1 OR o.nth = h.nth + 1) '
        'WHERE o.site_id = %2$s AND o.ts >= %3$L AND o.ts < %4$L GROUP BY 1, 2), '
        'n AS (SELECT d.is_before, (SELECT count(*) FROM h) - coalesce((SELECT sum(b.views) FROM b WHERE b.is_before = d.is_before), 0)::bigint AS views '
        'FROM (VALUES (true), (false)) d (is_before)) '
        'SELECT b.is_before, coalesce(w.word, ''#'' || to_hex(b.page_id)), w.title, b.views FROM b '
        'LEFT JOIN collector.web_analytics_words w ON w.site_id = %2$s AND w.word_id = b.page_id '
        'UNION ALL SELECT n.is_before, '''', NULL, n.views FROM n WHERE n.views > 0',
        rel, site, since, until, collector.word_id('page', page), collector.web_analytics_of_visits('v', rel, site, since, until, cond));
END $$;

-- The properties of events of one name: keys and values with how many visitors and events have them; the empty name is every event.
CREATE FUNCTION collector.web_analytics_props(site integer, since timestamptz, until timestamptz, event text, filters jsonb)
RETURNS TABLE (event_name text, key text, value text, visitors bigint, count bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    rel  text := collector.web_analytics_rows(filters);
    cond text := collector.web_analytics_filter(site, since, until, filters);
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT coalesce(w.word, ''''), g.key, g.value, g.visitors, g.n FROM ('
        'SELECT e.name_id, p.key, p.value, count(DISTINCT e.visitor_id) AS visitors, count(*) AS n FROM collector.web_analytics_events_%1$s e '
        'CROSS JOIN LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(e.props) = ''object'' THEN e.props END) p (key, value) '
        'WHERE e.site_id = %2$s AND e.ts >= %3$L AND e.ts < %4$L AND %5$s AND %6$s GROUP BY 1, 2, 3) g '
        'LEFT JOIN collector.web_analytics_words w ON w.site_id = %2$s AND w.word_id = g.name_id',
        rel, site, since, until,
        CASE WHEN event = '' THEN 'true' ELSE format('e.name_id = %s', collector.word_id('event', event)) END,
        collector.web_analytics_of_visits('e', rel, site, since, until, cond));
END $$;

-- What the columns of the views mean; a view has some of them.
SELECT collector.describe(jsonb_object_agg(c.relname, $texts${
 "asn": "Number of the network; NULL: unknown.",
 "bounce": "One view, nothing interactive, and engaged for less than ten seconds.",
 "browser": "The browser; NULL: unknown.",
 "capped_secs": "Duration, seconds, four hours at most: what averages are made of.",
 "channel": "Kind of the source: search, social, email, paid, referral, campaign, direct …",
 "consented": "Whether the visitor consented.",
 "count": "How many, within the minute.",
 "country": "Two letters; NULL: unknown.",
 "created_at": "When it happened; of a visit its first view.",
 "detail": "What it was about: a field, a kind of program. Never an address.",
 "device": "desktop, mobile, tablet or tv; NULL: unknown.",
 "device_type": "desktop, mobile, tablet or tv; NULL: unknown.",
 "dimension": "Its number in web_analytics_days.",
 "duration_secs": "From the first view to the last sign of the visit, seconds.",
 "engaged_ms": "Time visible and focused, milliseconds.",
 "entry": "Word of the first page.",
 "entry_page": "Path of the first page.",
 "event_data": "Properties, an object of scalars; NULL: none.",
 "event_name": "Its name.",
 "event_type": "event, outbound, download or form.",
 "events": "Events other than views.",
 "exit": "Word of the last page.",
 "exit_page": "Path of the last page.",
 "id": "Column of a word's id; NULL: the text is an expression.",
 "interactive": "Whether it did something on a page: an event other than a view.",
 "is_bot": "Probably not a person.",
 "is_bounce": "One view, nothing interactive, and engaged for less than ten seconds.",
 "kind": "Of words: what they are; of an event: 0 own, 1 outbound link, 2 download, 3 form.",
 "language": "First language of the browser; NULL: unknown.",
 "last_seen": "Last sign of the visit.",
 "name": "As filters name it.",
 "name_id": "Word of its name.",
 "nth": "Position in the visit, from 1.",
 "os": "The operating system; NULL: unknown.",
 "page_id": "Word of the page.",
 "page_path": "Path of the page: collector.page_key.",
 "page_title": "Newest title of the page; NULL: none was recorded.",
 "page_url": "Path of the page, too: neither host nor query is kept.",
 "page_views": "Views of pages.",
 "position_in_session": "Position in the visit, from 1.",
 "props": "Properties, an object of scalars; NULL: none.",
 "reason": "Why it was not counted.",
 "referrer": "The page whose link was followed, without its query, or its word; NULL: none.",
 "rows": "What is counted: visits, views, events.",
 "screen_width": "Width of the window, CSS pixels; NULL: unknown.",
 "scroll_depth": "Deepest visible part, per cent; NULL: not measured.",
 "scroll_pct": "Deepest visible part, per cent; 0: not measured.",
 "session_duration": "From the first view to the last sign of the visit, seconds, as long as it was.",
 "session_id": "Its visit; health-check-session for those of health checks.",
 "session_ts": "When its visit began, which with session_id names it.",
 "site": "Domain of the site.",
 "site_id": "The site: collector.web_analytics_sites.",
 "source": "Where the visit came from, or its word; NULL: typed or hidden.",
 "status": "HTTP status of the page; NULL or 0: not reported.",
 "time_on_page": "Time visible and focused, seconds.",
 "title": "Expression of the second part of a pair; NULL: none.",
 "ts": "When it happened; of a visit its first view, of what was not counted its minute.",
 "utm_campaign": "utm_campaign of the first page, or its word; NULL: none.",
 "utm_content": "Word of utm_content of the first page; NULL: none.",
 "utm_medium": "utm_medium of the first page, or its word; NULL: none.",
 "utm_source": "utm_source of the first page, or its word; NULL: none.",
 "utm_term": "Word of utm_term of the first page; NULL: none.",
 "view_id": "Its view: chosen by the page.",
 "views": "Views of pages.",
 "visitor_id": "The visitor, known for one day of the site.",
 "width": "Width of the window, CSS pixels; NULL: unknown.",
 "word": "Expression of the text; NULL: it is a word's."
}$texts$::jsonb))
FROM pg_class c
WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'v' AND starts_with(c.relname, 'web_analytics_');
