-- Which pages were not found, and where does the link stand?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, referrer text ('' none); visitors, count int8; compared_count int8.
-- Rows: one per page and referrer, most views first.
SELECT t.word AS page, coalesce(t.title, '') AS referrer, t.visitors, t.views AS count, t.compared_views AS compared_count
FROM collector.web_analytics_table($1, $2, $3, $4, 'missing', $5) t
ORDER BY t.views DESC, t.word, t.title
