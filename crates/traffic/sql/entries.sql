-- On which pages do visits begin?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, title text; entries int8; share_pct (of all visits), bounce_pct (of those that began there), capped_mean_secs (likewise) float8;
--   compared_entries int8.
-- Rows: one per page, most entries first.
SELECT t.word AS page, t.title, t.entries, 100.0::float8 * t.entries / nullif(sum(t.entries) OVER (), 0)::float8 AS share_pct,
       100.0::float8 * t.bounces / t.entries AS bounce_pct, t.capped_secs::float8 / t.entries AS capped_mean_secs, t.compared_entries
FROM collector.web_analytics_table($1, $2, $3, $4, 'page', $5) t
WHERE t.entries > 0
ORDER BY t.entries DESC, t.word
