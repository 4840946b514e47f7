-- The words of the generated site.
-- Parameter, as a setting of the session: bench.site, the site.
SELECT collector.web_analytics_touch_words(array_agg(current_setting('bench.site')::integer), array_agg(w.kind), array_agg(w.word), array_agg(w.title), array_agg(now()))
FROM (SELECT 'page' AS kind, '/page/' || n || '/' AS word, 'Page ' || n AS title FROM generate_series(0, 1999) n
      UNION ALL SELECT 'source', 'source-' || n, NULL FROM generate_series(0, 199) n
      UNION ALL SELECT 'referrer', 'https://source-' || n || '.example/', NULL FROM generate_series(0, 199) n
      UNION ALL VALUES ('utm_source', 'letter', NULL), ('utm_campaign', 'spring', NULL), ('event', 'signup', NULL), ('event', 'search', NULL)) w
