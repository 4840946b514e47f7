-- Which pages do visitors see just before a page, and which after it?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text is not used: nothing is compared; $5 jsonb filters
-- (collector.web_analytics_filter) or NULL; $6 text path of the page (collector.page_key).
-- Columns: is_before bool; page, title text (page '': the visit began or ended there); visits, views int8; share_pct float8 (of its direction).
-- Rows: the 50 most frequent of each direction, those before first.
SELECT r.is_before, r.word AS page, r.title, r.visits, r.views, r.share_pct
FROM (SELECT u.*, 100.0::float8 * u.views / nullif(sum(u.views) OVER (PARTITION BY u.is_before), 0)::float8 AS share_pct,
             row_number() OVER (PARTITION BY u.is_before ORDER BY u.views DESC, u.word) AS place
      FROM collector.web_analytics_span($1, $2, $3, coalesce($4, 'none')) s, collector.web_analytics_flow($1, s.since, s.until, $6, $5) u) r
WHERE r.place <= 50
ORDER BY r.is_before DESC, r.place
