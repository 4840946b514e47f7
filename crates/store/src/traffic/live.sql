-- Who is on the site now? Visitors, pages and sources of the last five minutes, views of the last thirty, refusals of the last hour.
-- Parameters: $1 int4 site.
-- Columns: kind text (visitors, minute, page, source, refused); word, title text (of a page its path and title, of a refusal its reason and detail; visitors and
--   minute: NULL); count int8 (visitors, views of a minute or page, visits of a source, refused events); last timestamptz (of a minute its start, of a refusal the last
--   minute; else NULL).
-- Rows: one of kind visitors, one for each minute with views, the ten most frequent of each other kind. Refusals of no known site are those of every site.
WITH visit AS (
    SELECT s.visitor_id, s.source FROM collector.web_analytics_sessions_real s
    -- A visit lasts a day at most.
    WHERE s.site_id = $1 AND s.ts >= now() - interval '25 hours' AND s.last_seen >= now() - interval '5 minutes'
), counted (kind, word_id, word, title, count, last) AS (
    SELECT 'page', v.page_id, NULL, NULL, count(*), NULL::timestamptz FROM collector.web_analytics_page_views_real v
    WHERE v.site_id = $1 AND v.ts >= now() - interval '5 minutes' GROUP BY v.page_id
    UNION ALL
    SELECT 'source', v.source, CASE WHEN v.source IS NULL THEN '' END, NULL, count(*), NULL FROM visit v GROUP BY v.source
    UNION ALL
    SELECT 'refused', NULL, r.reason, r.detail, sum(r.count)::int8, max(r.ts) FROM collector.web_analytics_refused r
    WHERE r.site_id IN ($1, 0) AND r.ts >= now() - interval '1 hour' GROUP BY r.reason, r.detail
), ranked AS (
    SELECT c.kind, coalesce(c.word, w.word, '#' || to_hex(c.word_id)) AS word, coalesce(c.title, w.title) AS title, c.count, c.last,
           row_number() OVER (PARTITION BY c.kind ORDER BY c.count DESC, c.word_id, c.word, c.title) AS place
    FROM counted c
    LEFT JOIN collector.web_analytics_words w ON w.site_id = $1 AND w.word_id = c.word_id
)
SELECT 'visitors' AS kind, NULL AS word, NULL AS title, count(DISTINCT v.visitor_id) AS count, NULL::timestamptz AS last FROM visit v
UNION ALL
SELECT 'minute', NULL, NULL, count(*), date_trunc('minute', v.ts) FROM collector.web_analytics_page_views_real v
WHERE v.site_id = $1 AND v.ts >= now() - interval '30 minutes' GROUP BY date_trunc('minute', v.ts)
UNION ALL
(SELECT r.kind, r.word, r.title, r.count, r.last FROM ranked r WHERE r.place <= 10 ORDER BY r.kind, r.place)
