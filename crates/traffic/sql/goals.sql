-- How many visitors met the goals? From rows, so a goal that is declared today has its past, of 180 days.
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- $6 jsonb goals: [{"name": text, "page": path}, {"name": text, "event": name}, …], * for any characters.
-- Columns: goal text; visitors, count int8; conversion_pct float8 (of all visitors); compared_visitors, compared_count int8; compared_conversion_pct float8.
-- Rows: one per goal, in their order.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
one AS (SELECT u.* FROM span s, collector.web_analytics_goals($1, s.since, s.until, $6, $5) WITH ORDINALITY u (name, visitors, count, nth)),
other AS (SELECT u.* FROM span s, collector.web_analytics_goals($1, s.compared_since, s.compared_until, $6, $5) WITH ORDINALITY u (name, visitors, count, nth)),
everybody AS (SELECT sum(u.visitors)::int8 AS visitors FROM span s, collector.web_analytics_sums($1, s.since, s.until, '{0}', $5) u),
compared AS (SELECT sum(u.visitors)::int8 AS visitors FROM span s, collector.web_analytics_sums($1, s.compared_since, s.compared_until, '{0}', $5) u)
SELECT one.name AS goal, one.visitors, one.count, 100.0::float8 * one.visitors / nullif(everybody.visitors, 0) AS conversion_pct,
       coalesce(other.visitors, 0) AS compared_visitors, coalesce(other.count, 0) AS compared_count,
       100.0::float8 * other.visitors / nullif(compared.visitors, 0) AS compared_conversion_pct
FROM everybody, compared, one
LEFT JOIN other USING (nth)
ORDER BY one.nth
