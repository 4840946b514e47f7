-- How did visits and views develop, by hours or days of the site's zone, and in the compared period?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- $6 text: hour or day.
-- Columns: bucket timestamptz (a day of a change of clocks has 23 or 25 hours); visitors, visits, views, bounces, anonymous int8, 0 where nothing happened;
--   compared_bucket timestamptz, compared_visitors, compared_visits, compared_views int8, NULL without a compared period.
-- Rows: one per hour or day until now, in their order.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
bucket (start, place) AS (
    SELECT b.start, row_number() OVER (ORDER BY b.start)
    FROM span s
    CROSS JOIN LATERAL (SELECT generate_series(s.since, s.until - interval '1 microsecond', interval '1 hour') AS start WHERE $6 = 'hour'
                        UNION ALL
                        SELECT d::timestamp AT TIME ZONE s.zone FROM generate_series($2::timestamp, (s.until - interval '1 microsecond') AT TIME ZONE s.zone, interval '1 day') d
                        WHERE $6 = 'day') b
), compared (start, place) AS (
    SELECT b.start, row_number() OVER (ORDER BY b.start)
    FROM span s
    CROSS JOIN LATERAL (SELECT generate_series(s.compared_since, s.compared_until - interval '1 microsecond', interval '1 hour') AS start WHERE $6 = 'hour'
                        UNION ALL
                        SELECT d::timestamp AT TIME ZONE s.zone
                        FROM generate_series($2::timestamp - s.back, (s.compared_until - interval '1 microsecond') AT TIME ZONE s.zone, interval '1 day') d
                        WHERE $6 = 'day') b
)
SELECT b.start AS bucket, coalesce(n.visitors, 0) AS visitors, coalesce(n.visits, 0) AS visits, coalesce(n.views, 0) AS views, coalesce(n.bounces, 0) AS bounces,
       coalesce(n.anonymous, 0) AS anonymous, c.start AS compared_bucket,
       CASE WHEN c.start IS NOT NULL THEN coalesce(o.visitors, 0) END AS compared_visitors,
       CASE WHEN c.start IS NOT NULL THEN coalesce(o.visits, 0) END AS compared_visits,
       CASE WHEN c.start IS NOT NULL THEN coalesce(o.views, 0) END AS compared_views
FROM bucket b
LEFT JOIN (SELECT u.* FROM span s, collector.web_analytics_curve($1, s.since, s.until, $6, $5) u) n ON n.bucket = b.start
LEFT JOIN compared c USING (place)
LEFT JOIN (SELECT u.* FROM span s, collector.web_analytics_curve($1, s.compared_since, s.compared_until, $6, $5) u) o ON o.bucket = c.start
ORDER BY b.start
