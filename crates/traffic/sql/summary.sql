-- What happened on the site in these days, in one row, and in those of the compared period?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: compared bool; visitors (daily visitors: a visitor lives one day), visits, views int8; views_per_visit, bounce_pct, median_secs, p95_secs,
--   capped_mean_secs (of a visit, at most four hours) float8; capped int8 (visits of four hours and more); engaged_median_secs float8.
--   Medians are of histograms, within 9 %. NULL: there was no visit.
-- Rows: one of the days, and one of the compared period unless $4 is none.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
period (compared, since, until) AS (
    SELECT false, since, until FROM span
    UNION ALL SELECT true, compared_since, compared_until FROM span WHERE compared_since IS NOT NULL
)
SELECT p.compared, coalesce(v.visitors, 0) AS visitors, coalesce(v.visits, 0) AS visits, coalesce(v.views, 0) AS views,
       v.views::float8 / nullif(v.visits, 0) AS views_per_visit, 100.0::float8 * v.bounces / nullif(v.visits, 0) AS bounce_pct,
       collector.tally_quantile(v.durations, 0.5) AS median_secs, collector.tally_quantile(v.durations, 0.95) AS p95_secs,
       v.capped_secs::float8 / nullif(v.visits, 0) AS capped_mean_secs, coalesce(v.durations[60], 0) AS capped,
       collector.tally_quantile(v.engaged, 0.5) AS engaged_median_secs
FROM period p
CROSS JOIN LATERAL (
    SELECT sum(u.visitors)::int8 AS visitors, sum(u.visits) FILTER (WHERE u.dimension = 0)::int8 AS visits,
           sum(u.views) FILTER (WHERE u.dimension = 0)::int8 AS views, sum(u.bounces)::int8 AS bounces, sum(u.capped_secs)::int8 AS capped_secs,
           collector.sum_counts(u.durations) FILTER (WHERE u.dimension = 0) AS durations,
           collector.sum_counts(u.durations) FILTER (WHERE u.dimension = 3) AS engaged
    FROM collector.web_analytics_sums($1, p.since, p.until, '{0,3}', $5) u) v
ORDER BY p.compared
