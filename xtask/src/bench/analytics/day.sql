-- Visits of one day of the generated site, as its receiver stores them.
-- Parameters, as settings of the session: bench.site, the site; bench.day, the day (UTC); bench.visits, how many visits begin;
-- bench.until, the instant at which the day ends: midnight, or of the open day now.
-- Rows: visits with 2.6 views on average, of 1.2 visits a visitor; 2,000 pages, of which few have most views; one view in ten has an event.
WITH plan AS MATERIALIZED (
    SELECT current_setting('bench.site')::integer AS site, current_setting('bench.day')::date AS day, current_setting('bench.visits')::bigint AS visits,
           current_setting('bench.until')::timestamptz AS until
), visit AS MATERIALIZED (
    -- The last visit of a whole day begins an hour before midnight, so that none lives on.
    SELECT p.site, p.day::timestamptz + n * least(p.until - p.day::timestamptz - interval '1 second', interval '23 hours') / p.visits AS ts,
           hashint8extended(n, extract(epoch FROM p.day)::bigint) AS session_id,
           hashint8extended((n / 1.2)::bigint, 1 + extract(epoch FROM p.day)::bigint) AS visitor_id,
           -- Half see one page, few see many.
           least(1 + floor(-2.55 * ln(1 - random()) * (0.4 + 0.6 * (n % 3 > 0)::integer)), 30)::integer AS views, p.until
    FROM plan p, generate_series(0, p.visits - 1) n
), view AS MATERIALIZED (
    SELECT v.site, v.ts AS session_ts, v.session_id, v.visitor_id, k AS nth, v.ts + (k - 1) * interval '41 seconds' AS ts,
           hashint8extended(v.session_id, k) AS view_id, collector.word_id('page', '/page/' || floor(2000 * random() ^ 3)::integer || '/') AS page_id,
           (-ln(1 - random()) * 25000)::integer AS engaged_ms, (100 * sqrt(random()))::smallint AS scroll_pct,
           (CASE WHEN random() < 0.01 THEN 404 ELSE 200 END)::smallint AS status, random() < 0.1 AS has_event
    FROM visit v, generate_series(1, v.views) k
    WHERE v.ts + (k - 1) * interval '41 seconds' < v.until
), stored_views AS (
    INSERT INTO collector.web_analytics_page_views_raw
        (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic)
    SELECT v.ts, v.session_ts, v.session_id, v.visitor_id, v.view_id, v.page_id, v.site, v.engaged_ms, v.nth, v.status, v.scroll_pct, false, false
    FROM view v ORDER BY v.ts
), stored_events AS (
    INSERT INTO collector.web_analytics_events_raw
        (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic, props)
    SELECT v.ts + interval '5 seconds', v.session_ts, v.session_id, v.visitor_id, v.view_id, v.page_id,
           collector.word_id('event', CASE WHEN v.view_id % 5 = 0 THEN 'signup' ELSE 'search' END), v.site, 0, false, false,
           jsonb_build_object('plan', CASE WHEN v.view_id % 3 = 0 THEN 'pro' ELSE 'free' END)
    FROM view v WHERE v.has_event ORDER BY v.ts
)
INSERT INTO collector.web_analytics_sessions_raw
    (ts, session_id, last_seen, visitor_id, entry, exit, source, referrer, utm_source, utm_campaign, site_id, asn, engaged_ms, width, views, events, interactive, suspect,
     consented, synthetic, channel, browser, os, device, language, country)
SELECT s.session_ts, s.session_id, s.last_seen, s.visitor_id, s.entry, s.exit,
       CASE WHEN s.r < 0.6 THEN collector.word_id('source', 'source-' || floor(200 * s.r ^ 2)::integer) END,
       CASE WHEN s.r < 0.3 THEN collector.word_id('referrer', 'https://source-' || floor(200 * s.r ^ 2)::integer || '.example/') END,
       CASE WHEN s.r < 0.05 THEN collector.word_id('utm_source', 'letter') END, CASE WHEN s.r < 0.05 THEN collector.word_id('utm_campaign', 'spring') END,
       s.site, 1000 + floor(500 * s.r ^ 2)::integer, s.engaged_ms, (ARRAY[390, 412, 768, 1280, 1440, 1920])[1 + floor(6 * s.r)::integer], s.views, s.events, s.events > 0, false,
       false, false, CASE WHEN s.r < 0.3 THEN 'referral' WHEN s.r < 0.6 THEN 'search' ELSE 'direct' END,
       (ARRAY['Chrome', 'Chrome', 'Chrome', 'Safari', 'Firefox', 'Edge'])[1 + floor(6 * s.q)::integer],
       (ARRAY['Windows', 'Android', 'iOS', 'Linux', 'macOS'])[1 + floor(5 * s.q)::integer],
       CASE WHEN s.q < 0.5 THEN 'mobile' ELSE 'desktop' END, (ARRAY['de-DE', 'en-US', 'en-GB', 'fr-FR', 'es-ES'])[1 + floor(5 * s.q * s.r)::integer],
       (ARRAY['DE', 'US', 'GB', 'FR', 'ES', 'AT', 'CH', 'NL', 'PL', 'IT'])[1 + floor(10 * s.q ^ 2)::integer]
FROM (SELECT v.site, v.session_ts, v.session_id, v.visitor_id, count(*)::smallint AS views, count(*) FILTER (WHERE v.has_event)::smallint AS events,
             sum(v.engaged_ms)::integer AS engaged_ms, max(v.ts) + interval '20 seconds' AS last_seen, max(v.page_id) FILTER (WHERE v.nth = 1) AS entry,
             (array_agg(v.page_id ORDER BY v.nth DESC))[1] AS exit, random() AS r, random() AS q
      FROM view v GROUP BY 1, 2, 3, 4) s
ORDER BY s.session_ts
