-- Where do visitors come from?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: source text ('' unknown, '(other)' what is beyond 1,000 a day); visitors, visits, views int8; share_pct (of all visits), bounce_pct,
--   capped_mean_secs float8; compared_visitors, compared_visits, compared_views int8.
-- Rows: one per value, most visitors first.
SELECT t.word AS source, t.visitors, t.visits, t.views, 100.0::float8 * t.visits / nullif(sum(t.visits) OVER (), 0)::float8 AS share_pct,
       100.0::float8 * t.bounces / nullif(t.visits, 0) AS bounce_pct, t.capped_secs::float8 / nullif(t.visits, 0) AS capped_mean_secs,
       t.compared_visitors, t.compared_visits, t.compared_views
FROM collector.web_analytics_table($1, $2, $3, $4, 'source', $5) t
ORDER BY t.visitors DESC, t.word
