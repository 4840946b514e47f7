-- How many visitors go all the way, step by step within a day? From rows, which are kept for 180 days.
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- $6 jsonb steps, two to eight: [{"page": path}, {"event": name}, …], * for any characters.
-- Columns: step int4; visitors int8 (who reached it); of_first_pct, of_previous_pct float8; compared_visitors int8.
-- Rows: one per step, in their order.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
one AS (SELECT u.* FROM span s, collector.web_analytics_funnel($1, s.since, s.until, $6, $5) u),
other AS (SELECT u.* FROM span s, collector.web_analytics_funnel($1, s.compared_since, s.compared_until, $6, $5) u)
SELECT one.step, one.visitors, 100.0::float8 * one.visitors / nullif(start.visitors, 0) AS of_first_pct,
       100.0::float8 * one.visitors / nullif(before.visitors, 0) AS of_previous_pct, coalesce(other.visitors, 0) AS compared_visitors
FROM one
JOIN one start ON start.step = 1
LEFT JOIN one before ON before.step = one.step - 1
LEFT JOIN other ON other.step = one.step
ORDER BY one.step
