-- Which pages are read? Engaged is visible and focused.
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: page, title text; views int8; median_secs, p75_secs (of histograms, within 9 %), engaged_pct (views engaged for ten seconds or more) float8;
--   compared_views int8, compared_median_secs float8.
-- Rows: one per page of ten views or more, most engaged time first.
SELECT t.word AS page, t.title, t.views, collector.tally_quantile(t.durations, 0.5) AS median_secs, collector.tally_quantile(t.durations, 0.75) AS p75_secs,
       (SELECT 100.0::float8 * sum(d.n) FILTER (WHERE d.bucket >= collector.duration_bucket(10))::float8 / nullif(sum(d.n), 0)::float8
        FROM unnest(t.durations) WITH ORDINALITY d (n, bucket)) AS engaged_pct,
       t.compared_views, collector.tally_quantile(t.compared_durations, 0.5) AS compared_median_secs
FROM collector.web_analytics_table($1, $2, $3, $4, 'page_time', $5) t
WHERE t.views >= 10
ORDER BY t.engaged_ms DESC, t.word
