-- Visits of made-up sites. `e2e.add_site` makes one with its visits of some days: forty a day, the same each day of the week, two views each but for bounces
-- (every fourth), an event in every fifth, three sources. Today has those up to now, so that nothing lies in the future.
SET client_min_messages = warning;

CREATE FUNCTION e2e.add_site(of_domain text, days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    site  integer := collector.web_analytics_register(of_domain, 'Europe/Berlin', ARRAY[of_domain]);
    today date := (now() AT TIME ZONE 'Europe/Berlin')::date;
BEGIN
    PERFORM collector.web_analytics_partitions(d::date) FROM generate_series(today - days - 2, today + 2, interval '1 day') d;
    CREATE TEMPORARY TABLE visit ON COMMIT DROP AS
    SELECT collector.word_id('visit', of_domain || d || n) AS id, n % 40 AS n, n % 4 = 0 AS bounces,
           (today - d)::timestamp AT TIME ZONE 'Europe/Berlin' + n * interval '35 minutes 7 seconds' AS ts,
           (ARRAY['/', '/pricing/', '/docs/<b>setup</b>/'])[1 + n % 3] AS entry,
           (ARRAY['duckduckgo.com', NULL, 'news.example'])[1 + n % 3] AS source,
           (ARRAY['search', 'direct', 'referral'])[1 + n % 3] AS channel,
           (ARRAY['DE', 'FR', 'US', NULL])[1 + n % 4] AS country
    FROM generate_series(0, days - 1) d, generate_series(0, 39) n;
    DELETE FROM visit v WHERE v.ts > now() - interval '1 minute';
    PERFORM collector.web_analytics_touch_words(array_agg(site), array_agg(w.kind), array_agg(w.word), array_agg(w.title), array_agg(now()))
    FROM (VALUES ('page', '/', 'Front page'), ('page', '/pricing/', 'Prices'), ('page', '/docs/<b>setup</b>/', '<i>Set up</i>'), ('page', '/thanks/', 'Thanks'),
                 ('source', 'duckduckgo.com', NULL), ('source', 'news.example', NULL), ('event', 'signup', NULL)) w (kind, word, title);
    INSERT INTO collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic)
    SELECT v.ts + (k - 1) * interval '40 seconds', v.ts, v.id, v.id, v.id + k, collector.word_id('page', CASE k WHEN 1 THEN v.entry ELSE '/thanks/' END), site,
           CASE WHEN v.bounces THEN 4000 ELSE 35000 END, k, 200, 20 * (v.n % 5) + 20, false, false
    FROM visit v, generate_series(1, CASE WHEN v.bounces THEN 1 ELSE 2 END) k;
    INSERT INTO collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic, props)
    SELECT v.ts + interval '45 seconds', v.ts, v.id, v.id, v.id + 2, collector.word_id('page', '/thanks/'), collector.word_id('event', 'signup'), site, 0, false, false,
           jsonb_build_object('plan', CASE WHEN v.n % 2 = 0 THEN 'pro' ELSE 'free' END)
    FROM visit v WHERE v.n % 5 = 1 AND NOT v.bounces;
    PERFORM collector.web_analytics_touch_sessions(
        array_agg(site), array_agg(v.ts), array_agg(v.id), array_agg(v.ts + CASE WHEN v.bounces THEN interval '4 s' ELSE interval '75 s' END), array_agg(v.id),
        array_agg(collector.word_id('page', v.entry)), array_agg(collector.word_id('page', CASE WHEN v.bounces THEN v.entry ELSE '/thanks/' END)),
        array_agg(CASE WHEN v.source IS NOT NULL THEN collector.word_id('source', v.source) END), array_agg(NULL::bigint), array_agg(NULL::bigint), array_agg(NULL::bigint),
        array_agg(NULL::bigint), array_agg(NULL::bigint), array_agg(NULL::bigint), array_agg(3320), array_agg(CASE WHEN v.bounces THEN 4000 ELSE 70000 END),
        array_agg(1440::smallint), array_agg(CASE WHEN v.bounces THEN 1 ELSE 2 END::smallint), array_agg(CASE WHEN v.n % 5 = 1 AND NOT v.bounces THEN 1 ELSE 0 END::smallint),
        array_agg(v.n % 5 = 1 AND NOT v.bounces), array_agg(false), array_agg(v.n % 7 = 0), array_agg(false), array_agg(v.channel),
        array_agg(CASE WHEN v.n % 2 = 0 THEN 'Firefox' ELSE 'Chrome' END), array_agg('Linux'::text), array_agg(CASE WHEN v.n % 3 = 0 THEN 'mobile' ELSE 'desktop' END),
        array_agg('de'::text), array_agg(v.country))
    FROM visit v;
    DROP TABLE visit;
    PERFORM collector.web_analytics_settle(d.site_id, d.day) FROM collector.web_analytics_due() d WHERE d.site_id = site;
    RETURN site;
END $$;
