-- Which campaigns bring visitors?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- $6 text: which of utm_source, utm_medium, utm_campaign, utm_term, utm_content.
-- Columns: campaign text; visitors, visits, views int8; share_pct (of visits with a value), bounce_pct, capped_mean_secs float8; compared_visitors,
--   compared_visits, compared_views int8.
-- Rows: one per value, most visitors first; visits without one are left out.
SELECT t.word AS campaign, t.visitors, t.visits, t.views, 100.0::float8 * t.visits / nullif(sum(t.visits) OVER (), 0)::float8 AS share_pct,
       100.0::float8 * t.bounces / nullif(t.visits, 0) AS bounce_pct, t.capped_secs::float8 / nullif(t.visits, 0) AS capped_mean_secs,
       t.compared_visitors, t.compared_visits, t.compared_views
FROM collector.web_analytics_table($1, $2, $3, $4, $6, $5) t
WHERE t.word <> ''
ORDER BY t.visitors DESC, t.word
