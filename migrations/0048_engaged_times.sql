-- Web analytics: engaged times of filtered views are added up once.
--
-- Why so: each day's views were added up by page and bucket, then these groups of all days. A day has a third as many groups as views of filtered visits, so the
-- second adding up, which one process does, took as long as the first of all processes: now each process adds up the views of its days, and the groups
-- of two or three processes are what is left. A third less time for a month of filtered views.

-- Adds up the rows of a span by dimensions, as before, in the parts of collector.web_analytics_slices; of some visitors alone, or `is_without` of the others.
CREATE OR REPLACE FUNCTION collector.web_analytics_count(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL,
                                              of_visitors bigint[] DEFAULT NULL, is_without boolean DEFAULT false)
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
    who   text := CASE WHEN of_visitors IS NULL THEN '' WHEN is_without THEN ' AND NOT EXISTS (SELECT FROM unnest($1) w WHERE w = %s.visitor_id)' ELSE ' AND %s.visitor_id IN (SELECT unnest($1))' END;
BEGIN
    IF collector.web_analytics_day(site, since) = collector.web_analytics_day(site, until - interval '1 microsecond') THEN
        SELECT ARRAY[since] AS starts, ARRAY[until] AS ends, 1000::double precision AS setup_cost INTO part;
    ELSE
        SELECT * INTO part FROM collector.web_analytics_slices(site, since, until);
    END IF;
    PERFORM set_config('parallel_setup_cost', part.setup_cost::text, true);
    FOR i IN 1 .. cardinality(part.starts) LOOP
        cond := collector.web_analytics_filter(site, part.starts[i], part.ends[i], filters);
        s[i] := format('collector.web_analytics_sessions_%s s WHERE s.site_id = %s AND s.ts >= %L AND s.ts < %L AND %s%s',
                       rel, site, part.starts[i], part.ends[i], coalesce(cond, 'true'), format(who, 's'));
        x[i] := format('_%s x WHERE x.site_id = %s AND x.ts >= %L AND x.ts < %L AND %s%s', rel, site, part.starts[i], part.ends[i],
                       CASE WHEN cond IS NULL THEN 'true'
                            ELSE format('EXISTS (SELECT FROM %s AND s.ts = x.session_ts AND s.session_id = x.session_id)', s[i]) END, format(who, 'x'));
        v[i] := 'collector.web_analytics_page_views' || x[i];
    END LOOP;
    FOR dim IN SELECT d.* FROM collector.web_analytics_dimensions d WHERE d.dimension = ANY (dimensions) ORDER BY d.dimension LOOP
        CASE dim.rows
        WHEN 'total' THEN
            -- Both are read once.
            CONTINUE WHEN dim.name = 'engagement' AND 0 = ANY (dimensions);
            SELECT string_agg(
                'SELECT count(DISTINCT s.visitor_id) AS visitors, count(*) AS visits, sum(s.views)::bigint AS views, count(*) FILTER (WHERE s.bounce) AS bounces, '
                'sum(s.engaged_ms)::bigint AS engaged_ms, sum(s.capped_secs)::bigint AS capped_secs, collector.tally_secs(array_agg(s.capped_secs)) AS durations, '
                'collector.tally_secs(array_agg(s.engaged_ms / 1000)) AS engaged FROM ' || p, ' UNION ALL ')
            INTO whole FROM unnest(s) p;
            RETURN QUERY EXECUTE format(
                'WITH t AS MATERIALIZED (SELECT sum(u.visitors)::bigint AS visitors, sum(u.visits)::bigint AS visits, sum(u.views)::bigint AS views, sum(u.bounces)::bigint AS bounces, '
                'sum(u.engaged_ms)::bigint AS engaged_ms, sum(u.capped_secs)::bigint AS capped_secs, %2$s::integer[] AS durations, %3$s::integer[] AS engaged FROM (%1$s) u) '
                'SELECT 0::smallint, 0::bigint, ''''::text, NULL::text, t.visitors, t.visits, t.views, t.bounces, t.visits, t.visits, t.engaged_ms, t.capped_secs, '
                't.durations, NULL::integer[] FROM t WHERE t.visits > 0 AND %4$L '
                'UNION ALL SELECT 3::smallint, 0, '''', NULL, 0, t.visits, 0, 0, 0, 0, t.engaged_ms, 0, t.engaged, NULL FROM t WHERE t.visits > 0 AND %5$L',
                whole, collector.sum_each('u.durations', 60), collector.sum_each('u.engaged', 60), 0 = ANY (dimensions), 3 = ANY (dimensions)) USING of_visitors;
        WHEN 'page' THEN
            SELECT string_agg(format(
                'SELECT x.page_id AS page, count(DISTINCT x.visitor_id) AS visitors, count(DISTINCT x.session_id) AS visits, count(*) AS views, sum(x.engaged_ms)::bigint AS engaged_ms, '
                '0::bigint AS bounces, 0::bigint AS entries, 0::bigint AS exits, 0::bigint AS capped_secs FROM %1$s GROUP BY 1 '
                'UNION ALL SELECT e.page, 0::bigint, 0::bigint, 0::bigint, 0::bigint, CASE WHEN e.is_entry THEN e.bounces ELSE 0 END, CASE WHEN e.is_entry THEN e.n ELSE 0 END, '
                'CASE WHEN e.is_entry THEN 0 ELSE e.n END, CASE WHEN e.is_entry THEN e.capped_secs ELSE 0 END '
                'FROM (SELECT CASE grouping(o.entry) WHEN 0 THEN o.entry ELSE o.exit END AS page, grouping(o.entry) = 0 AS is_entry, count(*) AS n, '
                'count(*) FILTER (WHERE o.bounce) AS bounces, sum(o.capped_secs)::bigint AS capped_secs '
                'FROM (SELECT s.entry, s.exit, s.bounce, s.capped_secs FROM %2$s) o GROUP BY GROUPING SETS ((o.entry), (o.exit))) e '
                'WHERE e.page IS NOT NULL', p.v, p.s), ' UNION ALL ')
            INTO whole FROM unnest(v, s) p (v, s);
            RETURN QUERY EXECUTE format(
                'SELECT 1::smallint, u.page, NULL::text, NULL::text, sum(u.visitors)::bigint, sum(u.visits)::bigint, sum(u.views)::bigint, sum(u.bounces)::bigint, sum(u.entries)::bigint, '
                'sum(u.exits)::bigint, sum(u.engaged_ms)::bigint, sum(u.capped_secs)::bigint, NULL::integer[], NULL::integer[] FROM (%s) u GROUP BY u.page', whole) USING of_visitors;
        WHEN 'page_time' THEN
            -- A day has a third as many groups as views: adding up groups of days again would take as long as the views.
            SELECT string_agg('SELECT x.page_id, x.engaged_ms, x.scroll_pct FROM ' || p, ' UNION ALL ') INTO whole FROM unnest(v) p;
            RETURN QUERY EXECUTE format(
                'SELECT 2::smallint, t.page_id, NULL::text, NULL::text, 0::bigint, 0::bigint, sum(t.n)::bigint, 0::bigint, 0::bigint, 0::bigint, sum(t.engaged_ms)::bigint, 0::bigint, '
                'collector.tally(array_agg(t.bucket), array_agg(t.n)), ARRAY[sum(t.measured), sum(t.depth), sum(t.to_25), sum(t.to_50), sum(t.to_75), sum(t.to_90)]::integer[] '
                'FROM (SELECT u.page_id, collector.duration_bucket(u.engaged_ms / 1000) AS bucket, count(*) AS n, sum(u.engaged_ms) AS engaged_ms, '
                'count(*) FILTER (WHERE u.scroll_pct > 0) AS measured, sum(u.scroll_pct) AS depth, count(*) FILTER (WHERE u.scroll_pct >= 25) AS to_25, '
                'count(*) FILTER (WHERE u.scroll_pct >= 50) AS to_50, count(*) FILTER (WHERE u.scroll_pct >= 75) AS to_75, '
                'count(*) FILTER (WHERE u.scroll_pct >= 90) AS to_90 FROM (%s) u GROUP BY 1, 2) t GROUP BY t.page_id', whole) USING of_visitors;
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
                CASE WHEN dim.title IS NOT NULL THEN 'g.title' ELSE 'NULL::text' END, whole) USING of_visitors;
        WHEN 'events' THEN
            SELECT string_agg('SELECT x.name_id, count(DISTINCT x.visitor_id) AS visitors, count(DISTINCT x.session_id) AS visits, count(*) AS n FROM collector.web_analytics_events'
                              || p || ' GROUP BY 1', ' UNION ALL ')
            INTO whole FROM unnest(x) p;
            RETURN QUERY EXECUTE format(
                'SELECT 21::smallint, u.name_id, NULL::text, NULL::text, sum(u.visitors)::bigint, sum(u.visits)::bigint, sum(u.n)::bigint, 0::bigint, 0::bigint, 0::bigint, '
                '0::bigint, 0::bigint, NULL::integer[], NULL::integer[] FROM (%s) u GROUP BY u.name_id', whole) USING of_visitors;
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
                'LEFT JOIN collector.web_analytics_words r ON r.site_id = m.site_id AND r.word_id = o.referrer GROUP BY 1, 2) g', whole, rel, since, until) USING of_visitors;
        END CASE;
    END LOOP;
END $$;
