-- Which events happen?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: event text; visitors, visits, count int8; compared_visitors, compared_count int8.
-- Rows: one per name, most visitors first.
SELECT t.word AS event, t.visitors, t.visits, t.views AS count, t.compared_visitors, t.compared_views AS compared_count
FROM collector.web_analytics_table($1, $2, $3, $4, 'event', $5) t
ORDER BY t.visitors DESC, t.word
