-- Web analytics: rows are added up day by day, several days at once.
--
-- Why so: a visitor and a visit live one day of the site, so what is distinct within days adds up. Added up over a month at once, sets of
-- visitors and visits are larger than any cache and than work_mem: pages of filtered visits took 20 s for 10 million views, four times the time
-- limit, of which reading was a tenth. A day's fit, and a processor each takes a day. Also: the pages of a day count what is distinct by sorting, which takes
-- a third of hashing groups of groups; a day that is cut in the middle and whose rows are expired is a part of its sums, instead of nothing.

-- As before, and without STRICT, which kept the server from putting its expression in place of the call: that took ten times as long.
CREATE OR REPLACE FUNCTION collector.duration_bucket(secs double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN secs IS NULL THEN NULL WHEN secs < 1 THEN 1 WHEN secs >= 14400 THEN 60
                ELSE least(2 + floor(ln(secs) * 58 / ln(14400::double precision))::integer, 59) END
$$;

-- The parts in which a span is added up: days of the site, cut at both ends; of a long span several days each, so that a statement has 64 parts at
-- most. `setup_cost` is what starting a process is said to cost (parallel_setup_cost): with several parts as much as reading one, so that each process
-- takes parts rather than all of them a part.
CREATE FUNCTION collector.web_analytics_slices(site integer, since timestamptz, until timestamptz,
                                               OUT starts timestamptz[], OUT ends timestamptz[], OUT setup_cost double precision)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH day AS (
        SELECT d.day, row_number() OVER (ORDER BY d.day) - 1 AS place, count(*) OVER () AS days
        FROM collector.web_analytics_settled d
        WHERE d.site_id = site AND d.day BETWEEN collector.web_analytics_day(site, since) AND collector.web_analytics_day(site, until)
    ), part AS (
        SELECT min(d.day) AS first, d.place / (1 + (d.days - 1) / 64) AS nth FROM day d GROUP BY 2
    ), edge AS (
        -- What has no rows belongs to the part before it.
        SELECT greatest(since, CASE WHEN p.nth = 0 THEN since ELSE collector.web_analytics_midnight(site, p.first) END) AS start, p.nth FROM part p
    ), bound AS (
        SELECT e.start, lead(e.start, 1, until) OVER (ORDER BY e.nth) AS stop, e.nth FROM edge e
    ), known AS (
        SELECT array_agg(b.start ORDER BY b.nth) AS starts, array_agg(b.stop ORDER BY b.nth) AS ends FROM bound b WHERE b.start < b.stop
    )
    SELECT coalesce(k.starts, ARRAY[since]), coalesce(k.ends, ARRAY[until]),
           CASE WHEN cardinality(k.starts) > 1 THEN greatest(1000, 0.1 * (
               SELECT max(d.views)::double precision * (1 + (collector.web_analytics_day(site, until) - collector.web_analytics_day(site, since)) / 64)
               FROM collector.web_analytics_days d
               WHERE d.site_id = site AND d.dimension = 0 AND d.bucket BETWEEN collector.web_analytics_day(site, since) AND collector.web_analytics_day(site, until)))
           ELSE 1000 END
    FROM known k
$$;

-- Adds up the rows of a span by dimensions, as before, in the parts of collector.web_analytics_slices.
CREATE OR REPLACE FUNCTION collector.web_analytics_count(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL)
RETURNS TABLE (dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint,
               entries bigint, exits bigint, engaged_ms bigint, capped_secs bigint, durations integer[], scrolls integer[])
-- Rows are narrow: without the lower cost the server expects that handing them between processes takes longer than reading alone.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 SET parallel_setup_cost = 1000 AS $$
#variable_conflict use_column
DECLARE
    dim   record;
    rel   text := collector.web_analytics_rows(filters);
    part  record;
    cond  text;
    -- Visits of each part, and its rows of other kinds: those of visits that meet the filters.
    s     text[];
    x     text[];
    v     text[];
    whole text;
    is_filtered boolean := false;
BEGIN
    SELECT * INTO part FROM collector.web_analytics_slices(site, since, until);
    PERFORM set_config('parallel_setup_cost', part.setup_cost::text, true);
    FOR i IN 1 .. cardinality(part.starts) LOOP
        cond := collector.web_analytics_filter(site, part.starts[i], part.ends[i], filters);
        is_filtered := cond IS NOT NULL;
        s[i] := format('collector.web_analytics_sessions_%s s WHERE s.site_id = %s AND s.ts >= %L AND s.ts < %L AND %s',
                       rel, site, part.starts[i], part.ends[i], coalesce(cond, 'true'));
        x[i] := format('_%s x WHERE x.site_id = %s AND x.ts >= %L AND x.ts < %L AND %s', rel, site, part.starts[i], part.ends[i],
                       CASE WHEN cond IS NULL THEN 'true'
                            ELSE format('EXISTS (SELECT FROM %s AND s.ts = x.session_ts AND s.session_id = x.session_id)', s[i]) END);
        v[i] := 'collector.web_analytics_page_views' || x[i];
    END LOOP;
    FOR dim IN SELECT d.* FROM collector.web_analytics_dimensions d WHERE d.dimension = ANY (dimensions) ORDER BY d.dimension LOOP
        CASE dim.rows
        WHEN 'total' THEN
            -- Both are read once.
            CONTINUE WHEN dim.name = 'engagement' AND 0 = ANY (dimensions);
            -- Kind 3 are visitors, 5 durations, 6 engaged times. Visitors are counted fastest by sorting, in a reading of their own; with filters,
            -- finding the visits is what takes long, so all are of one.
            SELECT string_agg(format(
                'SELECT g.kind, g.secs, count(*) AS n, sum(g.visits)::bigint AS visits, sum(g.views)::bigint AS views, sum(g.bounces)::bigint AS bounces, sum(g.engaged_ms)::bigint AS engaged_ms '
                'FROM (SELECT %1$s AS kind, coalesce(o.capped_secs, o.engaged_secs) AS secs, count(*) AS visits, sum(o.views) AS views, '
                'count(*) FILTER (WHERE o.bounce) AS bounces, sum(o.engaged_ms) AS engaged_ms '
                'FROM (SELECT s.visitor_id, s.capped_secs, s.engaged_ms / 1000 AS engaged_secs, s.views, s.bounce, s.engaged_ms FROM %3$s) o '
                'GROUP BY GROUPING SETS (%2$s)) g GROUP BY g.kind, g.secs',
                CASE WHEN is_filtered THEN 'grouping(o.visitor_id, o.capped_secs, o.engaged_secs)' ELSE '4 + grouping(o.capped_secs, o.engaged_secs)' END,
                CASE WHEN is_filtered THEN '(o.visitor_id), (o.capped_secs), (o.engaged_secs)' ELSE '(o.capped_secs), (o.engaged_secs)' END, p)
                || CASE WHEN is_filtered THEN '' ELSE format(
                ' UNION ALL SELECT 3, NULL::integer, count(DISTINCT s.visitor_id), 0::bigint, 0::bigint, 0::bigint, 0::bigint FROM %s', p) END, ' UNION ALL ')
            INTO whole FROM unnest(s) p;
            RETURN QUERY EXECUTE format(
                'WITH t AS MATERIALIZED (SELECT u.kind, u.secs, sum(u.n)::bigint AS n, sum(u.visits)::bigint AS visits, sum(u.views)::bigint AS views, sum(u.bounces)::bigint AS bounces, '
                'sum(u.engaged_ms)::bigint AS engaged_ms FROM (%s) u GROUP BY u.kind, u.secs) '
                'SELECT 0::smallint, 0::bigint, ''''::text, NULL::text, (SELECT sum(t.n)::bigint FROM t WHERE t.kind = 3), sum(g.visits)::bigint, sum(g.views)::bigint, '
                'sum(g.bounces)::bigint, sum(g.visits)::bigint, sum(g.visits)::bigint, sum(g.engaged_ms)::bigint, sum(g.secs * g.visits)::bigint, '
                'collector.tally(array_agg(collector.duration_bucket(g.secs)), array_agg(g.visits)), NULL::integer[] '
                'FROM t g WHERE g.kind = 5 AND %L HAVING count(*) > 0 '
                'UNION ALL SELECT 3::smallint, 0, '''', NULL, 0, sum(e.visits)::bigint, 0, 0, 0, 0, sum(e.engaged_ms)::bigint, 0, '
                'collector.tally(array_agg(collector.duration_bucket(e.secs)), array_agg(e.visits)), NULL::integer[] '
                'FROM t e WHERE e.kind = 6 AND %L HAVING count(*) > 0', whole, 0 = ANY (dimensions), 3 = ANY (dimensions));
        WHEN 'page' THEN
            SELECT string_agg(format(
                'SELECT x.page_id AS page, count(DISTINCT x.visitor_id) AS visitors, count(DISTINCT x.session_id) AS visits, count(*) AS views, sum(x.engaged_ms)::bigint AS engaged_ms, '
                '0::bigint AS bounces, 0::bigint AS entries, 0::bigint AS exits, 0::bigint AS capped_secs FROM %1$s GROUP BY 1 '
                'UNION ALL SELECT e.page, 0::bigint, 0::bigint, 0::bigint, 0::bigint, count(*) FILTER (WHERE e.is_entry AND o.bounce), count(*) FILTER (WHERE e.is_entry), '
                'count(*) FILTER (WHERE NOT e.is_entry), coalesce(sum(o.capped_secs) FILTER (WHERE e.is_entry), 0)::bigint '
                'FROM (SELECT s.entry, s.exit, s.bounce, s.capped_secs FROM %2$s) o CROSS JOIN LATERAL (VALUES (o.entry, true), (o.exit, false)) e (page, is_entry) '
                'WHERE e.page IS NOT NULL GROUP BY 1', p.v, p.s), ' UNION ALL ')
            INTO whole FROM unnest(v, s) p (v, s);
            RETURN QUERY EXECUTE format(
                'SELECT 1::smallint, u.page, NULL::text, NULL::text, sum(u.visitors)::bigint, sum(u.visits)::bigint, sum(u.views)::bigint, sum(u.bounces)::bigint, sum(u.entries)::bigint, '
                'sum(u.exits)::bigint, sum(u.engaged_ms)::bigint, sum(u.capped_secs)::bigint, NULL::integer[], NULL::integer[] FROM (%s) u GROUP BY u.page', whole);
        WHEN 'page_time' THEN
            SELECT string_agg(format(
                'SELECT x.page_id, collector.duration_bucket(x.engaged_ms / 1000) AS bucket, count(*) AS n, sum(x.engaged_ms)::bigint AS engaged_ms, '
                'count(*) FILTER (WHERE x.scroll_pct > 0) AS measured, sum(x.scroll_pct)::bigint AS depth, count(*) FILTER (WHERE x.scroll_pct >= 25) AS to_25, '
                'count(*) FILTER (WHERE x.scroll_pct >= 50) AS to_50, count(*) FILTER (WHERE x.scroll_pct >= 75) AS to_75, '
                'count(*) FILTER (WHERE x.scroll_pct >= 90) AS to_90 FROM %s GROUP BY 1, 2', p), ' UNION ALL ')
            INTO whole FROM unnest(v) p;
            RETURN QUERY EXECUTE format(
                'SELECT 2::smallint, t.page_id, NULL::text, NULL::text, 0::bigint, 0::bigint, sum(t.n)::bigint, 0::bigint, 0::bigint, 0::bigint, sum(t.engaged_ms)::bigint, 0::bigint, '
                'collector.tally(array_agg(t.bucket), array_agg(t.n)), ARRAY[sum(t.measured), sum(t.depth), sum(t.to_25), sum(t.to_50), sum(t.to_75), sum(t.to_90)]::integer[] '
                'FROM (SELECT u.page_id, u.bucket, sum(u.n)::bigint AS n, sum(u.engaged_ms) AS engaged_ms, sum(u.measured) AS measured, sum(u.depth) AS depth, sum(u.to_25) AS to_25, '
                'sum(u.to_50) AS to_50, sum(u.to_75) AS to_75, sum(u.to_90) AS to_90 FROM (%s) u GROUP BY 1, 2) t GROUP BY t.page_id', whole);
        WHEN 'visits' THEN
            SELECT string_agg(format(
                'SELECT %s AS word, %s AS title, count(DISTINCT s.visitor_id) AS visitors, count(*) AS visits, sum(s.views)::bigint AS views, '
                'count(*) FILTER (WHERE s.bounce) AS bounces, sum(s.engaged_ms)::bigint AS engaged_ms, sum(s.capped_secs)::bigint AS capped_secs FROM %s GROUP BY 1, 2',
                coalesce('s.' || dim.id, format('coalesce(%s, '''')', dim.word)),
                CASE WHEN dim.title IS NOT NULL THEN format('coalesce(%s, '''')', dim.title) ELSE 'NULL::text' END, p), ' UNION ALL ')
            INTO whole FROM unnest(s) p;
            RETURN QUERY EXECUTE format(
                'SELECT %1$s::smallint, %2$s, %3$s, %4$s, g.visitors, g.visits, g.views, g.bounces, g.visits, g.visits, g.engaged_ms, g.capped_secs, NULL::integer[], NULL::integer[] '
                'FROM (SELECT u.word, u.title, sum(u.visitors)::bigint AS visitors, sum(u.visits)::bigint AS visits, sum(u.views)::bigint AS views, sum(u.bounces)::bigint AS bounces, '
                'sum(u.engaged_ms)::bigint AS engaged_ms, sum(u.capped_secs)::bigint AS capped_secs FROM (%5$s) u GROUP BY 1, 2) g',
                dim.dimension,
                CASE WHEN dim.id IS NOT NULL THEN format('coalesce(g.word, %s)', collector.word_id(dim.kind, ''))
                     WHEN dim.title IS NOT NULL THEN format('collector.word_id(%L, concat_ws(E''\t'', g.word, g.title))', dim.kind)
                     ELSE format('collector.word_id(%L, g.word)', dim.kind) END,
                CASE WHEN dim.id IS NOT NULL THEN 'CASE WHEN g.word IS NULL THEN '''' END' ELSE 'g.word' END,
                CASE WHEN dim.title IS NOT NULL THEN 'g.title' ELSE 'NULL::text' END, whole);
        WHEN 'events' THEN
            SELECT string_agg('SELECT x.name_id, count(DISTINCT x.visitor_id) AS visitors, count(DISTINCT x.session_id) AS visits, count(*) AS n FROM collector.web_analytics_events'
                              || p || ' GROUP BY 1', ' UNION ALL ')
            INTO whole FROM unnest(x) p;
            RETURN QUERY EXECUTE format(
                'SELECT 21::smallint, u.name_id, NULL::text, NULL::text, sum(u.visitors)::bigint, sum(u.visits)::bigint, sum(u.n)::bigint, 0::bigint, 0::bigint, 0::bigint, '
                '0::bigint, 0::bigint, NULL::integer[], NULL::integer[] FROM (%s) u GROUP BY u.name_id', whole);
        WHEN 'missing' THEN
            SELECT string_agg('SELECT x.site_id, x.page_id, x.visitor_id, x.session_id, x.session_ts FROM ' || p || ' AND x.status = 404', ' UNION ALL ')
            INTO whole FROM unnest(v) p;
            RETURN QUERY EXECUTE format(
                'SELECT 22::smallint, collector.word_id(''missing'', concat_ws(E''\t'', g.word, g.title)), g.word, g.title, g.visitors, g.visits, g.views, 0::bigint, 0::bigint, 0::bigint, '
                '0::bigint, 0::bigint, NULL::integer[], NULL::integer[] '
                'FROM (SELECT coalesce(p.word, '''') AS word, coalesce(r.word, '''') AS title, count(DISTINCT m.visitor_id) AS visitors, count(DISTINCT m.session_id) AS visits, count(*) AS views '
                'FROM (%s) m '
                'LEFT JOIN collector.web_analytics_sessions_%s o ON o.site_id = m.site_id AND o.ts = m.session_ts AND o.session_id = m.session_id AND o.ts >= %L AND o.ts < %L '
                'LEFT JOIN collector.web_analytics_words p ON p.site_id = m.site_id AND p.word_id = m.page_id '
                'LEFT JOIN collector.web_analytics_words r ON r.site_id = m.site_id AND r.word_id = o.referrer GROUP BY 1, 2) g', whole, rel, since, until);
        END CASE;
    END LOOP;
END $$;

-- How many visitors reached each step of a funnel, in this order within a day of the site, as before: each visitor's rows become a text of
-- letters, one for each set of steps that a row meets, in the order of time; a step is reached when the text has the letters of the steps up to it
-- in their order.
CREATE OR REPLACE FUNCTION collector.web_analytics_funnel(site integer, since timestamptz, until timestamptz, steps jsonb, filters jsonb)
RETURNS TABLE (step integer, visitors bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 SET parallel_setup_cost = 1000 AS $$
DECLARE
    n     integer := jsonb_array_length(steps);
    rel   text := collector.web_analytics_rows(filters);
    cond  text;
    part  record;
    one   text;
    parts text;
BEGIN
    IF n NOT BETWEEN 2 AND 8 THEN
        RAISE EXCEPTION 'a funnel has two to eight steps' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF since IS NULL OR until IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO part FROM collector.web_analytics_slices(site, since, until);
    PERFORM set_config('parallel_setup_cost', part.setup_cost::text, true);
    FOR i IN 1 .. cardinality(part.starts) LOOP
        cond := collector.web_analytics_filter(site, part.starts[i], part.ends[i], filters);
        -- A row's letter is the set of steps that it meets, as bits above U+0100: no letter is special in a pattern.
        SELECT string_agg(format(
            'SELECT x.visitor_id, x.ts, chr(256 + x.bits) AS letter FROM (SELECT %1$s.visitor_id, %1$s.ts, %2$s AS bits FROM collector.web_analytics_%3$s_%4$s %1$s '
            'WHERE %1$s.site_id = %5$s AND %1$s.ts >= %6$L AND %1$s.ts < %7$L AND (%8$s) AND %9$s) x',
            t.alias,
            (SELECT string_agg(format('CASE WHEN %s THEN %s ELSE 0 END', collector.web_analytics_step(site, u.s, t.is_event), 1 << (u.nth - 1)::integer), ' + ')
             FROM jsonb_array_elements(steps) WITH ORDINALITY u (s, nth)),
            t.name, rel, site, part.starts[i], part.ends[i],
            (SELECT string_agg(collector.web_analytics_step(site, u.s, t.is_event), ' OR ') FROM jsonb_array_elements(steps) u (s)),
            collector.web_analytics_of_visits(t.alias, rel, site, part.starts[i], part.ends[i], cond)), ' UNION ALL ')
        INTO one
        FROM (VALUES ('v', 'page_views', false, 'page'), ('e', 'events', true, 'event')) t (alias, name, is_event, key)
        WHERE EXISTS (SELECT FROM jsonb_array_elements(steps) u (s) WHERE u.s ? t.key);
        IF one IS NULL THEN
            RAISE EXCEPTION 'a step of a funnel is a page or an event' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        parts := concat_ws(' UNION ALL ', parts, format(
            'SELECT z.path, count(*) AS n FROM (SELECT string_agg(o.letter, '''') AS path FROM (SELECT * FROM (%s) a ORDER BY a.visitor_id, a.ts) o GROUP BY o.visitor_id) z GROUP BY z.path', one));
    END LOOP;
    RETURN QUERY EXECUTE format(
        'SELECT k.step, coalesce(sum(y.n), 0)::bigint FROM generate_series(1, %1$s) k (step) '
        'CROSS JOIN LATERAL (SELECT string_agg(format(''[%%s]'', (SELECT string_agg(chr(256 + b), '''') FROM generate_series(1, %2$s) b WHERE b & (1 << (i - 1)) > 0)), ''.*'' ORDER BY i) AS pattern '
        'FROM generate_series(1, k.step) i) p '
        'LEFT JOIN (SELECT u.path, sum(u.n) AS n FROM (%3$s) u GROUP BY u.path) y '
        'ON y.path ~ p.pattern GROUP BY k.step ORDER BY k.step', n, (1 << n) - 1, parts);
END $$;

-- How many visitors met each goal, and how often, as before: goals are an array of {"name": text} with a condition (collector.web_analytics_step).
CREATE OR REPLACE FUNCTION collector.web_analytics_goals(site integer, since timestamptz, until timestamptz, goals jsonb, filters jsonb)
RETURNS TABLE (name text, visitors bigint, count bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 SET parallel_setup_cost = 1000 AS $$
DECLARE
    rel   text := collector.web_analytics_rows(filters);
    part  record;
    goal  record;
    conds text[];
    whole text;
BEGIN
    IF since IS NULL OR until IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO part FROM collector.web_analytics_slices(site, since, until);
    PERFORM set_config('parallel_setup_cost', part.setup_cost::text, true);
    FOR i IN 1 .. cardinality(part.starts) LOOP
        conds[i] := collector.web_analytics_filter(site, part.starts[i], part.ends[i], filters);
    END LOOP;
    FOR goal IN
        SELECT g.goal AS condition, g.goal ? 'event' AS is_event, CASE WHEN g.goal ? 'event' THEN 'e' ELSE 'v' END AS alias
        FROM jsonb_array_elements(goals) WITH ORDINALITY g (goal, nth) ORDER BY g.nth
    LOOP
        SELECT string_agg(format(
            'SELECT count(DISTINCT %1$s.visitor_id) AS visitors, count(*) AS n FROM collector.web_analytics_%2$s_%3$s %1$s '
            'WHERE %1$s.site_id = %4$s AND %1$s.ts >= %5$L AND %1$s.ts < %6$L AND (%7$s) AND %8$s',
            goal.alias, CASE WHEN goal.is_event THEN 'events' ELSE 'page_views' END, rel, site, part.starts[i], part.ends[i],
            collector.web_analytics_step(site, goal.condition, goal.is_event),
            collector.web_analytics_of_visits(goal.alias, rel, site, part.starts[i], part.ends[i], conds[i])), ' UNION ALL ')
        INTO whole FROM generate_subscripts(part.starts, 1) i;
        RETURN QUERY EXECUTE format('SELECT %L, coalesce(sum(u.visitors), 0)::bigint, coalesce(sum(u.n), 0)::bigint FROM (%s) u', goal.condition ->> 'name', whole);
    END LOOP;
END $$;

-- The views just before (`is_before`) and after those of one page in the same visits, by page, as before. An empty word: the visit began or
-- ended there.
CREATE OR REPLACE FUNCTION collector.web_analytics_flow(site integer, since timestamptz, until timestamptz, page text, filters jsonb)
RETURNS TABLE (is_before boolean, word text, title text, views bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET parallel_tuple_cost = 0.01 SET parallel_setup_cost = 1000 AS $$
DECLARE
    rel   text := collector.web_analytics_rows(filters);
    part  record;
    of    text;
    one   text;
    parts text;
BEGIN
    IF since IS NULL OR until IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO part FROM collector.web_analytics_slices(site, since, until);
    PERFORM set_config('parallel_setup_cost', part.setup_cost::text, true);
    FOR i IN 1 .. cardinality(part.starts) LOOP
        -- The page's own views, and with them those beside.
        of := collector.web_analytics_of_visits('v', rel, site, part.starts[i], part.ends[i],
                                                collector.web_analytics_filter(site, part.starts[i], part.ends[i], filters));
        one := format('SELECT v.session_id, v.nth FROM collector.web_analytics_page_views_%s v WHERE v.site_id = %s AND v.ts >= %L AND v.ts < %L AND v.page_id = %s AND %s',
                      rel, site, part.starts[i], part.ends[i], collector.word_id('page', page), of);
        -- A view of the page is beside itself, too: so they are counted.
        parts := concat_ws(' UNION ALL ', parts, format(
            'SELECT CASE WHEN o.nth <> h.nth THEN o.nth < h.nth END AS is_before, CASE WHEN o.nth <> h.nth THEN o.page_id END AS page_id, count(*) AS views '
            'FROM collector.web_analytics_page_views_%2$s o JOIN (%1$s) h ON o.session_id = h.session_id AND o.nth BETWEEN h.nth - 1 AND h.nth + 1 '
            'WHERE o.site_id = %3$s AND o.ts >= %4$L AND o.ts < %5$L GROUP BY 1, 2', one, rel, site, part.starts[i], part.ends[i]));
    END LOOP;
    RETURN QUERY EXECUTE format(
        'WITH b AS MATERIALIZED (SELECT u.is_before, u.page_id, sum(u.views)::bigint AS views FROM (%1$s) u GROUP BY 1, 2), '
        'n AS (SELECT d.is_before, (SELECT b.views FROM b WHERE b.is_before IS NULL) - coalesce((SELECT sum(b.views) FROM b WHERE b.is_before = d.is_before), 0)::bigint AS views '
        'FROM (VALUES (true), (false)) d (is_before)) '
        'SELECT b.is_before, coalesce(w.word, ''#'' || to_hex(b.page_id)), w.title, b.views FROM b '
        'LEFT JOIN collector.web_analytics_words w ON w.site_id = %2$s AND w.word_id = b.page_id WHERE b.is_before IS NOT NULL '
        'UNION ALL SELECT n.is_before, '''', NULL, n.views FROM n WHERE n.views > 0', parts, site);
END $$;

-- A part of a day whose rows are expired, from its sums: as much of each figure as of the day's visits had begun by then, as its hours tell. No
-- row: the day is not expired (its rows say more), or has no sums. The year before an open day is one.
CREATE FUNCTION collector.web_analytics_expired_part(site integer, since timestamptz, until timestamptz, dimensions smallint[])
RETURNS TABLE (dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint,
               entries bigint, exits bigint, engaged_ms bigint, capped_secs bigint, durations bigint[], scrolls bigint[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH part AS (
        SELECT s.day, collector.web_analytics_midnight(site, s.day) AS start, collector.web_analytics_midnight(site, s.day + 1) AS stop
        FROM collector.web_analytics_settled s
        WHERE s.site_id = site AND s.day = collector.web_analytics_day(site, since) AND s.settled_at IS NOT NULL
          AND s.day < (SELECT k.first_day FROM collector.kept k WHERE k.keep = 'views')
    ), share AS (
        SELECT p.day, sum(h.visits * greatest(0, extract(epoch FROM least(until, h.bucket + interval '1 hour') - greatest(since, h.bucket)) / 3600)) / nullif(sum(h.visits), 0) AS of_day
        FROM part p JOIN collector.web_analytics_hours h ON h.site_id = site AND h.bucket >= p.start AND h.bucket < p.stop GROUP BY p.day
    )
    SELECT d.dimension, d.word_id, NULL::text, NULL::text, round(d.visitors * s.of_day)::bigint, round(d.visits * s.of_day)::bigint, round(d.views * s.of_day)::bigint,
           round(d.bounces * s.of_day)::bigint, round(d.entries * s.of_day)::bigint, round(d.exits * s.of_day)::bigint, round(d.engaged_ms * s.of_day)::bigint,
           round(d.capped_secs * s.of_day)::bigint,
           CASE WHEN d.durations IS NOT NULL THEN ARRAY(SELECT round(u * s.of_day)::bigint FROM unnest(d.durations) WITH ORDINALITY t (u, at) ORDER BY at) END,
           CASE WHEN d.scrolls IS NOT NULL THEN ARRAY(SELECT round(u * s.of_day)::bigint FROM unnest(d.scrolls) WITH ORDINALITY t (u, at) ORDER BY at) END
    FROM share s
    JOIN collector.web_analytics_days d ON d.site_id = site AND d.bucket = s.day AND d.dimension = ANY (dimensions)
$$;

-- Whether the views of a part of a day are expired and its sums are kept.
CREATE FUNCTION collector.web_analytics_is_expired(site integer, instant timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM collector.web_analytics_settled s
                   WHERE s.site_id = site AND s.day = collector.web_analytics_day(site, instant) AND s.settled_at IS NOT NULL
                     AND s.day < (SELECT k.first_day FROM collector.kept k WHERE k.keep = 'views'))
$$;

-- As before, and a part of a day whose rows are expired from its sums.
CREATE OR REPLACE FUNCTION collector.web_analytics_sums(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL)
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
        IF collector.web_analytics_is_expired(site, open.since) THEN
            RETURN QUERY SELECT * FROM collector.web_analytics_expired_part(site, open.since, open.until, dimensions);
            CONTINUE;
        END IF;
        RETURN QUERY
            SELECT c.dimension, c.word_id, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms, c.capped_secs,
                   c.durations::bigint[], c.scrolls::bigint[]
            FROM collector.web_analytics_count(site, open.since, open.until, dimensions) c;
    END LOOP;
END $$;

-- As before, and a part of a day whose rows are expired from its hours and sums.
CREATE OR REPLACE FUNCTION collector.web_analytics_curve(site integer, since timestamptz, until timestamptz, grain text, filters jsonb)
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
               NOT is_filtered AND s.settled_at IS NOT NULL AND m.midnight >= since AND m.next <= until AS is_summed,
               NOT is_filtered AND collector.web_analytics_is_expired(site, m.midnight) AS is_expired, m.midnight, s.day
        FROM collector.web_analytics_settled s
        CROSS JOIN LATERAL (SELECT collector.web_analytics_midnight(site, s.day) AS midnight, collector.web_analytics_midnight(site, s.day + 1) AS next) m
        WHERE s.site_id = site AND s.day >= collector.web_analytics_day(site, since) AND s.day <= collector.web_analytics_day(site, until)
          AND m.midnight < until
        ORDER BY s.day
    LOOP
        IF (day.is_summed OR day.is_expired) AND grain = 'hour' THEN
            RETURN QUERY SELECT h.bucket, h.visitors::bigint, h.visits::bigint, h.views::bigint, h.bounces::bigint, h.anonymous::bigint
                         FROM collector.web_analytics_hours h WHERE h.site_id = site AND h.bucket >= day.since AND h.bucket < day.until;
        ELSIF day.is_expired AND NOT day.is_summed THEN
            RETURN QUERY SELECT day.midnight, e.visitors, e.visits, e.views, e.bounces,
                                (SELECT coalesce(sum(h.anonymous), 0)::bigint FROM collector.web_analytics_hours h
                                 WHERE h.site_id = site AND h.bucket >= day.since AND h.bucket < day.until)
                         FROM collector.web_analytics_expired_part(site, day.since, day.until, '{0}') e;
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
