-- Web analytics: an open day is answered from the sums of its beginning.
--
-- Why so: the open day, and the day it is compared with, were added up from their rows at each question: at 330,000 views a day half a second for
-- its pages. What is distinct does not add up over hours, but it does over visitors, as a visitor and a visit live one day: so the sums of a beginning leave
-- out the visitors who may still do something, and a question adds up the rows of these and of those who came since. A visitor of the beginning who came
-- back is counted whole, and what the beginning has of this visitor is taken off. So an answer is what the rows say, whenever it is asked. A row that
-- changes within a beginning removes it, and the question reads the rows as before.
--
-- Also: sums of histograms are made element by element in one aggregation, and what is called for each page is no statement of its own: engaged times of a
-- month took 150 ms, those of an open day two seconds.

-- Which bucket of a histogram a number of whole seconds belongs to, as of any other number: the least of each, found by halves. A logarithm for each row took
-- as long as the rest of its histogram.
CREATE FUNCTION collector.duration_bucket(secs integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 1 + width_bucket(secs::double precision, '{1,2,2,2,2,3,3,4,4,5,6,7,8,9,11,12,15,17,20,24,28,33,38,45,53,63,74,87,102,120,142,167,197,233,274,324,382,450,531,626,738,871,1027,1211,1428,1684,1987,2343,2764,3260,3845,4535,5348,6308,7441,8776,10351,12209,14400}'::double precision[])
$$;

-- A histogram as an array, as before.
CREATE OR REPLACE FUNCTION collector.tally(buckets integer[], counts bigint[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found integer[] := array_fill(0, ARRAY[60]);
    most  integer := 0;
BEGIN
    FOR i IN 1 .. coalesce(cardinality(buckets), 0) LOOP
        found[buckets[i]] := coalesce(found[buckets[i]], 0) + counts[i];
        most := greatest(most, buckets[i]);
    END LOOP;
    RETURN CASE WHEN most > 0 THEN found[1:most] END;
END $$;

-- A histogram of whole seconds: how many are in each bucket, up to the last that has any. NULL: there are none.
CREATE FUNCTION collector.tally_secs(secs integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT collector.tally(array_agg(b.bucket), array_agg(b.n))
    FROM (SELECT collector.duration_bucket(u) AS bucket, count(*) AS n FROM unnest(secs) u GROUP BY 1) b
$$;

-- Adds two arrays of counts, element by element, as before.
CREATE OR REPLACE FUNCTION collector.add_counts(one bigint[], other bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    n     bigint;
    place integer := 0;
BEGIN
    IF other IS NULL THEN
        RETURN one;
    ELSIF one IS NULL THEN
        RETURN other;
    END IF;
    FOREACH n IN ARRAY other LOOP
        place := place + 1;
        one[place] := coalesce(one[place], 0) + coalesce(n, 0);
    END LOOP;
    RETURN one;
END $$;

-- The seconds below which a share of what a histogram counts lies, as before; NULL: it counts nothing.
CREATE OR REPLACE FUNCTION collector.tally_quantile(counts bigint[], share double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    whole   bigint := 0;
    running bigint := 0;
    bucket  integer := 0;
    n       bigint;
BEGIN
    IF counts IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH n IN ARRAY counts LOOP
        whole := whole + coalesce(n, 0);
    END LOOP;
    FOREACH n IN ARRAY counts LOOP
        bucket := bucket + 1;
        running := running + coalesce(n, 0);
        IF whole > 0 AND running >= whole * share THEN
            RETURN collector.bucket_secs(bucket);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- The expression that adds up arrays of at most so many counts, element by element, as long as the longest; NULL where all are. `sign`: what each is multiplied with.
CREATE FUNCTION collector.sum_each(expression text, most integer, sign text DEFAULT '1') RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(ARRAY[%s])[1:max(cardinality(%s))]',
                  string_agg(format('coalesce(sum(%s * %s[%s]), 0)::bigint', sign, expression, i), ', ' ORDER BY i), expression)
    FROM generate_series(1, most) i
$$;

-- Figures of a dimension and word, as collector.web_analytics_count returns them.
CREATE TYPE collector.web_analytics_figure AS (
    dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint, entries bigint, exits bigint,
    engaged_ms bigint, capped_secs bigint, durations integer[], scrolls integer[]);

CREATE TABLE collector.web_analytics_beginnings (
    site_id integer NOT NULL,
    -- Midnight of the day, and until when its rows are added up.
    since   timestamptz NOT NULL,
    until   timestamptz NOT NULL,
    -- Visitors who had rows before `until` and were seen then or later: the sums have none of theirs.
    stayed  bigint[] NOT NULL,
    PRIMARY KEY (site_id, since, until)
);
COMMENT ON TABLE collector.web_analytics_beginnings IS 'Beginnings of days that are added up: their rows have not changed since.';

CREATE TABLE collector.web_analytics_beginning_sums (
    site_id   integer NOT NULL,
    since     timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    dimension smallint NOT NULL,
    -- One for each word.
    figures   collector.web_analytics_figure[] NOT NULL,
    PRIMARY KEY (site_id, since, until, dimension)
);
COMMENT ON TABLE collector.web_analytics_beginning_sums IS 'The figures of beginnings, an array for each dimension; they hold while collector.web_analytics_beginnings has the beginning.';

-- Adds up the rows of a span by dimensions, as before, in the parts of collector.web_analytics_slices; of some visitors alone, or `is_without` of the others.
DROP FUNCTION collector.web_analytics_count(integer, timestamptz, timestamptz, smallint[], jsonb);
CREATE FUNCTION collector.web_analytics_count(site integer, since timestamptz, until timestamptz, dimensions smallint[], filters jsonb DEFAULT NULL,
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
                'sum(u.to_50) AS to_50, sum(u.to_75) AS to_75, sum(u.to_90) AS to_90 FROM (%s) u GROUP BY 1, 2) t GROUP BY t.page_id', whole) USING of_visitors;
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

-- The figures of a day from midnight until an instant: where it is added up until an earlier one, from these sums and the rows since. Visitors who have rows
-- of both are counted whole, and what either part has of them is taken off. Columns as those of collector.web_analytics_count.
CREATE FUNCTION collector.web_analytics_count_day(site integer, since timestamptz, until timestamptz, dimensions smallint[])
RETURNS TABLE (dimension smallint, word_id bigint, word text, title text, visitors bigint, visits bigint, views bigint, bounces bigint,
               entries bigint, exits bigint, engaged_ms bigint, capped_secs bigint, durations bigint[], scrolls bigint[])
-- A day's rows are in memory: to look up thousands of visitors takes half as long as to read all of them.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET random_page_cost = 0.5 AS $$
#variable_conflict use_column
DECLARE
    begun record;
    came  bigint[];
    -- Of those who came since, who had been there before and gone; with those who stayed, who have rows of both parts.
    back  bigint[];
    in_both  bigint[];
BEGIN
    SELECT b.until, b.stayed INTO begun FROM collector.web_analytics_beginnings b
    WHERE b.site_id = site AND b.since = web_analytics_count_day.since AND b.until <= web_analytics_count_day.until ORDER BY b.until DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN QUERY
            SELECT c.dimension, c.word_id, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms, c.capped_secs,
                   c.durations::bigint[], c.scrolls::bigint[]
            FROM collector.web_analytics_count(site, since, until, dimensions) c;
        RETURN;
    END IF;
    came := ARRAY(SELECT s.visitor_id FROM collector.web_analytics_sessions_real s WHERE s.site_id = site AND s.ts >= begun.until AND s.ts < web_analytics_count_day.until
                  UNION SELECT s.visitor_id FROM collector.web_analytics_sessions_suspect s WHERE s.site_id = site AND s.ts >= begun.until AND s.ts < web_analytics_count_day.until);
    back := ARRAY(SELECT v FROM unnest(came) v
                  WHERE EXISTS (SELECT FROM collector.web_analytics_sessions_real s
                                WHERE s.site_id = site AND s.visitor_id = v AND s.ts >= web_analytics_count_day.since AND s.ts < begun.until)
                  EXCEPT SELECT unnest(begun.stayed));
    in_both := begun.stayed || back;
    RETURN QUERY EXECUTE format(
        'SELECT u.dimension, u.word_id, max(u.word), max(u.title), sum(u.sign * u.visitors)::bigint, sum(u.sign * u.visits)::bigint, sum(u.sign * u.views)::bigint, '
        'sum(u.sign * u.bounces)::bigint, sum(u.sign * u.entries)::bigint, sum(u.sign * u.exits)::bigint, sum(u.sign * u.engaged_ms)::bigint, sum(u.sign * u.capped_secs)::bigint, %s, %s '
        'FROM (SELECT 1 AS sign, f.* FROM collector.web_analytics_beginning_sums b CROSS JOIN LATERAL unnest(b.figures) f '
        'WHERE b.site_id = $1 AND b.since = $2 AND b.until = $3 AND b.dimension = ANY ($5) '
        'UNION ALL SELECT 1, c.* FROM collector.web_analytics_count($1, $3, $4, $5) c'
        || CASE WHEN cardinality(in_both) > 0 THEN
        ' UNION ALL SELECT 1, c.* FROM collector.web_analytics_count($1, $2, $4, $5, NULL, $6) c '
        'UNION ALL SELECT -1, c.* FROM collector.web_analytics_count($1, $3, $4, $5, NULL, $6) c' ELSE '' END
        || CASE WHEN cardinality(back) > 0 THEN
        ' UNION ALL SELECT -1, c.* FROM collector.web_analytics_count($1, $2, $3, $5, NULL, $7) c' ELSE '' END || ') u GROUP BY u.dimension, u.word_id',
        CASE WHEN '{0,2,3}' && dimensions THEN collector.sum_each('u.durations', 60, 'u.sign') ELSE 'NULL::bigint[]' END,
        CASE WHEN '{2}' && dimensions THEN collector.sum_each('u.scrolls', 6, 'u.sign') ELSE 'NULL::bigint[]' END)
    USING site, since, begun.until, until, dimensions, in_both, back;
END $$;

-- Adds up the beginning of the site's day until an instant, and returns whether it did: not when it is added up already, nor before what is of that time has
-- come to rest. A visit is known to the receiver for an hour after it was seen, so what was not seen for longer changes no more; who was is left
-- out. Whoever stores rows of the day meanwhile waits (collector.web_analytics_note).
CREATE FUNCTION collector.web_analytics_begin(site integer, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
    today    date := collector.web_analytics_day(site, web_analytics_begin.until);
    midnight timestamptz := collector.web_analytics_midnight(site, today);
    next     timestamptz := collector.web_analytics_midnight(site, today + 1);
    remained bigint[];
BEGIN
    IF midnight IS NULL OR web_analytics_begin.until <= midnight OR web_analytics_begin.until > now() - interval '65 minutes' THEN
        RETURN false;
    END IF;
    PERFORM FROM collector.web_analytics_settled s WHERE s.site_id = site AND s.day = today FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM collector.web_analytics_beginnings b
                            WHERE b.site_id = site AND b.since = midnight AND b.until = web_analytics_begin.until) THEN
        RETURN false;
    END IF;
    -- Who has rows of both parts, and who has views or events before without a visit that counts: the other rows of a visitor follow from visits.
    WITH before AS (
        SELECT s.visitor_id FROM collector.web_analytics_sessions_real s WHERE s.site_id = site AND s.ts >= midnight AND s.ts < web_analytics_begin.until
    ), acted AS (
        SELECT v.visitor_id FROM collector.web_analytics_page_views_real v WHERE v.site_id = site AND v.ts >= midnight AND v.ts < web_analytics_begin.until
        UNION SELECT e.visitor_id FROM collector.web_analytics_events_real e WHERE e.site_id = site AND e.ts >= midnight AND e.ts < web_analytics_begin.until
    ), later AS (
        SELECT s.visitor_id FROM collector.web_analytics_sessions_real s
        WHERE s.site_id = site AND s.ts >= midnight AND s.ts < web_analytics_begin.until AND s.last_seen >= web_analytics_begin.until
        UNION SELECT s.visitor_id FROM collector.web_analytics_sessions_real s WHERE s.site_id = site AND s.ts >= web_analytics_begin.until AND s.ts < next
        UNION SELECT v.visitor_id FROM collector.web_analytics_page_views_real v WHERE v.site_id = site AND v.ts >= web_analytics_begin.until AND v.ts < next
        UNION SELECT e.visitor_id FROM collector.web_analytics_events_real e WHERE e.site_id = site AND e.ts >= web_analytics_begin.until AND e.ts < next
    )
    SELECT array_agg(b.visitor_id) INTO remained
    FROM ((SELECT l.visitor_id FROM later l INTERSECT (SELECT b.visitor_id FROM before b UNION SELECT a.visitor_id FROM acted a))
          UNION (SELECT a.visitor_id FROM acted a EXCEPT SELECT b.visitor_id FROM before b)) b;
    remained := coalesce(remained, '{}');
    DELETE FROM collector.web_analytics_beginning_sums b WHERE b.site_id = site AND b.since = midnight AND b.until = web_analytics_begin.until;
    INSERT INTO collector.web_analytics_beginning_sums (site_id, since, until, dimension, figures)
    SELECT site, midnight, web_analytics_begin.until, c.dimension,
           array_agg((c.dimension, c.word_id, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.engaged_ms, c.capped_secs,
                      c.durations, c.scrolls)::collector.web_analytics_figure)
    FROM collector.web_analytics_count(site, midnight, web_analytics_begin.until,
                                       ARRAY(SELECT d.dimension FROM collector.web_analytics_dimensions d), NULL, remained, true) c
    GROUP BY c.dimension;
    INSERT INTO collector.web_analytics_beginnings (site_id, since, until, stayed) VALUES (site, midnight, web_analytics_begin.until, remained);
    RETURN true;
END $$;

-- As before, and the day that is open by collector.web_analytics_count_day.
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
    RETURN QUERY EXECUTE format(
        'SELECT d.dimension, d.word_id, NULL::text, NULL::text, sum(d.visitors), sum(d.visits), sum(d.views), sum(d.bounces), sum(d.entries), sum(d.exits), '
        'sum(d.engaged_ms)::bigint, sum(d.capped_secs)::bigint, %s, %s '
        'FROM collector.web_analytics_days d '
        'WHERE d.site_id = $1 AND d.dimension = ANY ($2) AND d.bucket >= $3 AND d.bucket < $4 GROUP BY d.dimension, d.word_id',
        CASE WHEN '{0,2,3}' && dimensions THEN collector.sum_each('d.durations', 60) ELSE 'NULL::bigint[]' END,
        CASE WHEN '{2}' && dimensions THEN collector.sum_each('d.scrolls', 6) ELSE 'NULL::bigint[]' END)
    USING site, dimensions, first, next;
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
        RETURN QUERY SELECT * FROM collector.web_analytics_count_day(site, open.since, open.until, dimensions);
    END LOOP;
END $$;

-- As before, and the day that is open by collector.web_analytics_count_day.
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
        ELSIF NOT is_filtered THEN
            RETURN QUERY SELECT day.midnight, coalesce(c.visitors, 0), coalesce(c.visits, 0), coalesce(c.views, 0), coalesce(c.bounces, 0),
                                (SELECT count(*) FROM collector.web_analytics_anonymous_views a WHERE a.site_id = site AND a.ts >= day.since AND a.ts < day.until)
                         FROM (SELECT) one
                         LEFT JOIN collector.web_analytics_count_day(site, day.since, day.until, '{0}') c ON true;
        ELSE
            RETURN QUERY SELECT day.midnight, coalesce(c.visitors, 0), coalesce(c.visits, 0), coalesce(c.views, 0), coalesce(c.bounces, 0),
                                -- A filter on visits has no anonymous views.
                                0::bigint
                         FROM (SELECT) one
                         LEFT JOIN collector.web_analytics_count(site, day.since, day.until, '{0}', filters) c ON true;
        END IF;
    END LOOP;
END $$;

-- Adds up the beginnings of open days, each half hour of a site that had so many views, and returns how many: fewer are added up from their rows within
-- 20 ms. They are kept for as long as a week is compared with the one before, after two days each hour.
CREATE FUNCTION collector.web_analytics_begin_open() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    many CONSTANT integer := 20000;
    open record;
    made integer := 0;
BEGIN
    FOR open IN
        SELECT m.site_id, m.midnight, date_bin('30 minutes', m.latest, m.midnight) AS until
        FROM (SELECT w.site_id, r.latest, collector.web_analytics_midnight(w.site_id, collector.web_analytics_day(w.site_id, r.latest)) AS midnight
              FROM collector.web_analytics_sites w, (SELECT now() - interval '65 minutes' AS latest) r) m
        ORDER BY m.site_id
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM collector.web_analytics_beginnings b WHERE b.site_id = open.site_id AND b.since = open.midnight AND b.until = open.until);
        CONTINUE WHEN many > (SELECT count(*) FROM (SELECT FROM collector.web_analytics_page_views_raw v
                                                    WHERE v.site_id = open.site_id AND v.ts >= open.midnight AND v.ts < open.until LIMIT many) v);
        made := made + collector.web_analytics_begin(open.site_id, open.until)::integer;
    END LOOP;
    IF made > 0 THEN
        DELETE FROM collector.web_analytics_beginnings b
        WHERE b.until < now() - interval '9 days' OR b.until < now() - interval '50 hours' AND extract(epoch FROM b.until - b.since)::bigint % 3600 <> 0;
        DELETE FROM collector.web_analytics_beginning_sums s
        WHERE NOT EXISTS (SELECT FROM collector.web_analytics_beginnings b WHERE b.site_id = s.site_id AND b.since = s.since AND b.until = s.until);
    END IF;
    RETURN made;
END $$;

-- Removes the beginnings of which rows changed, unless of visitors that they leave out.
CREATE FUNCTION collector.web_analytics_unbegin(site_id integer[], ts timestamptz[], visitor_id bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM collector.web_analytics_beginnings b USING unnest($1, $2, $3) r (site_id, ts, visitor_id)
    WHERE b.site_id = r.site_id AND r.ts >= b.since AND r.ts < b.until AND r.visitor_id <> ALL (b.stayed)
$$;

-- The same of the rows of one statement: what is younger is in no beginning (by the clock, as a transaction may be older), nor is a health check. The rows of their
-- days are locked first: whoever adds up a beginning either sees these rows or has stored it by then.
CREATE FUNCTION collector.web_analytics_unbegin_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    young timestamptz := clock_timestamp() - interval '60 minutes';
BEGIN
    PERFORM collector.web_analytics_note_instants(array_agg(q.site_id), array_agg(q.quarter))
    FROM (SELECT DISTINCT r.site_id, date_bin('15 minutes', r.ts, 'epoch'::timestamptz) AS quarter FROM rows r WHERE r.ts < young AND NOT r.synthetic) q;
    PERFORM collector.web_analytics_unbegin(array_agg(r.site_id), array_agg(r.ts), array_agg(r.visitor_id))
    FROM rows r WHERE r.ts < young AND NOT r.synthetic AND r.ts >= (SELECT min(b.since) FROM collector.web_analytics_beginnings b);
    RETURN NULL;
END $$;

-- The same of views and events: their visit may have begun before.
CREATE FUNCTION collector.web_analytics_unbegin_acts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    young timestamptz := clock_timestamp() - interval '60 minutes';
BEGIN
    PERFORM collector.web_analytics_note_instants(array_agg(q.site_id), array_agg(q.quarter))
    FROM (SELECT DISTINCT r.site_id, date_bin('15 minutes', i.ts, 'epoch'::timestamptz) AS quarter
          FROM rows r CROSS JOIN LATERAL (VALUES (r.ts), (r.session_ts)) i (ts) WHERE i.ts < young AND NOT r.synthetic) q;
    PERFORM collector.web_analytics_unbegin(array_agg(r.site_id), array_agg(i.ts), array_agg(r.visitor_id))
    FROM rows r CROSS JOIN LATERAL (VALUES (r.ts), (r.session_ts)) i (ts)
    WHERE i.ts < young AND NOT r.synthetic AND i.ts >= (SELECT min(b.since) FROM collector.web_analytics_beginnings b);
    RETURN NULL;
END $$;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.tab, t.what, e.event, e.state
        FROM (VALUES ('web_analytics_sessions_raw', 'visits'), ('web_analytics_page_views_raw', 'acts'), ('web_analytics_events_raw', 'acts')) t (tab, what),
             (VALUES ('INSERT', 'NEW'), ('UPDATE', 'OLD'), ('DELETE', 'OLD')) e (event, state)
    LOOP
        EXECUTE format('CREATE TRIGGER unbegin_%s AFTER %s ON collector.%I REFERENCING %s TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION collector.web_analytics_unbegin_%s()',
                       lower(item.event), item.event, item.tab, item.state, item.what);
    END LOOP;
END $$;

-- Makes the index by which the rows of a visitor are found in a partition of visits or views; a day that is packed has none, as nobody comes back to it.
CREATE FUNCTION collector.web_analytics_index_visitors(day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT c.relname AS tab, c.relname || '_visitor' AS index
        FROM unnest(ARRAY['web_analytics_sessions_raw', 'web_analytics_page_views_raw']) t (name)
        JOIN pg_class c ON c.relnamespace = 'collector'::regnamespace AND c.relname = t.name || '_' || to_char(day, 'YYYYMMDD')
        WHERE day > (now() AT TIME ZONE 'UTC')::date - 2
    LOOP
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON collector.%I (site_id, visitor_id, ts)', part.index, part.tab);
    END LOOP;
END $$;

SELECT collector.web_analytics_index_visitors((now() AT TIME ZONE 'UTC')::date + days) FROM generate_series(-1, 3) days;

-- Makes the partitions of a day (UTC) of every raw table, and the default ones with NULL. Returns how many were made. As before, with the index of visitors.
CREATE OR REPLACE FUNCTION collector.web_analytics_partitions(day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tab  text;
    made integer := 0;
BEGIN
    FOREACH tab IN ARRAY ARRAY['web_analytics_sessions_raw', 'web_analytics_page_views_raw', 'web_analytics_events_raw',
                               'web_analytics_anonymous_views_raw', 'web_analytics_refused_raw',
                               'web_analytics_days', 'web_analytics_hours'] LOOP
        made := made + collector.ensure_partition(tab, day)::integer;
    END LOOP;
    IF day IS NOT NULL AND made > 0 THEN
        PERFORM collector.web_analytics_index_visitors(day);
    END IF;
    RETURN made;
END $$;

-- As before, and without the index of visitors: rewrites the partitions of a day (UTC) without the room that updates needed, in the order of their index, and returns whether it did. A day
-- is left alone while a site's day may reach into it, and when it is packed already (the server notes it: pg_index.indisclustered).
-- Readers of the day wait for as long as the rewriting takes, a second for 300,000 views; whoever has a lock is not waited for long.
CREATE OR REPLACE FUNCTION collector.web_analytics_pack(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET maintenance_work_mem = '128MB' AS $$
DECLARE
    part   record;
    packed boolean := false;
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date - 2 THEN
        RETURN false;
    END IF;
    FOR part IN
        SELECT c.oid::regclass AS tab, c.relname AS name, k.relname AS key
        FROM unnest(ARRAY['web_analytics_sessions_raw', 'web_analytics_page_views_raw', 'web_analytics_events_raw',
                          'web_analytics_anonymous_views_raw']) t (name)
        JOIN pg_class c ON c.relnamespace = 'collector'::regnamespace AND c.relname = t.name || '_' || to_char(day, 'YYYYMMDD')
        JOIN pg_index x ON x.indrelid = c.oid AND NOT x.indisclustered
        JOIN pg_class k ON k.oid = x.indexrelid AND k.relname <> c.relname || '_visitor'
    LOOP
        EXECUTE format('DROP INDEX IF EXISTS collector.%I', part.name || '_visitor');
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 100)', part.tab);
        EXECUTE format('CLUSTER %s USING %I', part.tab, part.key);
        packed := true;
    END LOOP;
    RETURN packed;
END $$;

REVOKE ALL ON FUNCTION collector.web_analytics_begin(integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_begin_open() FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_unbegin(integer[], timestamptz[], bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_unbegin_visits() FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_unbegin_acts() FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_index_visitors(date) FROM PUBLIC;

-- Who adds up days that are over adds up beginnings: it need not be granted its rights anew.
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN
        SELECT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.pronamespace = 'collector'::regnamespace AND p.proname = 'web_analytics_settle' AND a.privilege_type = 'EXECUTE'
          AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION collector.web_analytics_begin_open() TO %I', role);
    END LOOP;
END $$;

-- Whoever reads the other sums reads these.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'collector'::regnamespace AND c.relname = 'web_analytics_days' AND a.privilege_type = 'SELECT'
          AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON collector.web_analytics_beginnings, collector.web_analytics_beginning_sums TO %I', item.rolname);
    END LOOP;
END $$;
