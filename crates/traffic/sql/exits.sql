-- On which pages do visits end?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, title text; exits, visits int8 (visits that saw it); exit_pct (of these), share_pct (of all visits) float8; compared_exits int8.
-- Rows: one per page, most exits first.
SELECT t.word AS page, t.title, t.exits, t.visits, 100.0::float8 * t.exits / nullif(t.visits, 0) AS exit_pct,
       100.0::float8 * t.exits / nullif(sum(t.exits) OVER (), 0)::float8 AS share_pct, t.compared_exits
FROM collector.web_analytics_table($1, $2, $3, $4, 'page', $5) t
WHERE t.exits > 0
ORDER BY t.exits DESC, t.word
