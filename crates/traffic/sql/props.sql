-- Which properties do events of a name have? From rows, which are kept for 180 days.
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- $6 text: the name; empty for every event.
-- Columns: event, key, value text; visitors, count int8; share_pct float8 (of events with the key); compared_count int8.
-- Rows: one per key and value, 1,000 at most.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
one AS (SELECT u.* FROM span s, collector.web_analytics_props($1, s.since, s.until, $6, $5) u),
other AS (SELECT u.* FROM span s, collector.web_analytics_props($1, s.compared_since, s.compared_until, $6, $5) u WHERE s.compared_since IS NOT NULL)
SELECT one.event_name AS event, one.key, one.value, one.visitors, one.count,
       100.0::float8 * one.count / nullif(sum(one.count) OVER (PARTITION BY one.event_name, one.key), 0)::float8 AS share_pct, coalesce(other.count, 0) AS compared_count
FROM one
LEFT JOIN other USING (event_name, key, value)
ORDER BY one.event_name, one.key, one.count DESC, one.value
LIMIT 1000
