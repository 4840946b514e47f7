-- How far down are pages read?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, title text; views int8 (those whose depth was measured); mean_pct, reached_25_pct, reached_50_pct, reached_75_pct, reached_90_pct (share of
--   views) float8; compared_mean_pct float8.
-- Rows: one per page with a measured view, most views first.
SELECT t.word AS page, t.title, t.scrolls[1] AS views, t.scrolls[2]::float8 / t.scrolls[1] AS mean_pct, 100.0::float8 * t.scrolls[3] / t.scrolls[1] AS reached_25_pct,
       100.0::float8 * t.scrolls[4] / t.scrolls[1] AS reached_50_pct, 100.0::float8 * t.scrolls[5] / t.scrolls[1] AS reached_75_pct,
       100.0::float8 * t.scrolls[6] / t.scrolls[1] AS reached_90_pct, t.compared_scrolls[2]::float8 / nullif(t.compared_scrolls[1], 0) AS compared_mean_pct
FROM collector.web_analytics_table($1, $2, $3, $4, 'page_time', $5) t
WHERE t.scrolls[1] > 0
ORDER BY t.scrolls[1] DESC, t.word
