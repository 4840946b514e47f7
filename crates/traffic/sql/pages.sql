-- Which pages are visited?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, title text (NULL: none was recorded); visitors, visits, views int8; exit_pct (visits that ended there, of those that saw it), share_pct (of all
--   views) float8; compared_visitors, compared_visits, compared_views int8.
-- Rows: one per page, most visitors first.
SELECT t.word AS page, t.title, t.visitors, t.visits, t.views, 100.0::float8 * t.exits / nullif(t.visits, 0) AS exit_pct,
       100.0::float8 * t.views / nullif(sum(t.views) OVER (), 0)::float8 AS share_pct, t.compared_visitors, t.compared_visits, t.compared_views
FROM collector.web_analytics_table($1, $2, $3, $4, 'page', $5) t
WHERE t.views > 0
ORDER BY t.visitors DESC, t.word
