-- Who is on the site now? The last five minutes.
-- Parameters: $1 int4 site.
-- Columns: kind text (visitors, page, source, refused); word, title text (visitors: NULL; refused: reason and detail); count int8 (visitors, views of a
-- page, visits of a source, refused events).
-- Rows: one of kind visitors, then the ten most frequent of each other kind.
WITH visit AS (
    SELECT s.visitor_id, s.source FROM collector.web_analytics_sessions_real s
    -- What began earlier is a browser that was left open.
    WHERE s.site_id = $1 AND s.ts >= now() - interval '4 hours' AND s.last_seen >= now() - interval '5 minutes'
), counted (kind, word_id, word, title, count) AS (
    SELECT 'page', v.page_id, NULL, NULL, count(*) FROM collector.web_analytics_page_views_real v
    WHERE v.site_id = $1 AND v.ts >= now() - interval '5 minutes' GROUP BY v.page_id
    UNION ALL
    SELECT 'source', v.source, CASE WHEN v.source IS NULL THEN '' END, NULL, count(*) FROM visit v GROUP BY v.source
    UNION ALL
    SELECT 'refused', NULL, r.reason, r.detail, sum(r.count)::int8 FROM collector.web_analytics_refused r
    WHERE r.site_id = $1 AND r.ts >= now() - interval '5 minutes' GROUP BY r.reason, r.detail
), ranked AS (
    SELECT c.kind, coalesce(c.word, w.word, '#' || to_hex(c.word_id)) AS word, coalesce(c.title, w.title) AS title, c.count,
           row_number() OVER (PARTITION BY c.kind ORDER BY c.count DESC, c.word_id, c.word) AS place
    FROM counted c
    LEFT JOIN collector.web_analytics_words w ON w.site_id = $1 AND w.word_id = c.word_id
)
SELECT 'visitors' AS kind, NULL AS word, NULL AS title, count(DISTINCT v.visitor_id) AS count FROM visit v
UNION ALL
(SELECT r.kind, r.word, r.title, r.count FROM ranked r WHERE r.place <= 10 ORDER BY r.kind, r.place)
