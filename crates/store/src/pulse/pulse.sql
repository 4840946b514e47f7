-- What was counted of each site in the five minutes before an instant, for how long it is silent, and what usually comes in such a time?
-- Parameters: $1 text[] domains, $2 timestamptz.
-- Columns: domain text; views, visitors_live, refused int8; silent_secs, missed_views float8 (NULL: not known).
-- Rows: one per known site. The same time of each of the last four weeks, by the clock of the site, is read from sums as far as these go; in a
-- usual silence of seconds that is as much of each week.
-- Indexes: (site_id, ts) of the partitions of views, (site_id, bucket) of hours.
WITH site AS (
    SELECT s.site_id, s.domain, s.time_zone, l.last
    FROM collector.web_analytics_sites s
    CROSS JOIN LATERAL (
        SELECT greatest((SELECT max(v.ts) FROM collector.web_analytics_page_views_real v
                         WHERE v.site_id = s.site_id AND v.ts > $2::timestamptz - interval '7 days' AND v.ts <= $2),
                        (SELECT max(a.ts) FROM collector.web_analytics_anonymous_views a
                         WHERE a.site_id = s.site_id AND a.ts > $2 - interval '7 days' AND a.ts <= $2)) AS last) l
    WHERE s.domain = ANY ($1::text[])
)
SELECT s.domain, n.views + n.anonymous AS views, n.visitors AS visitors_live, n.refused,
       extract(epoch FROM $2 - s.last)::float8 AS silent_secs, w.views::float8 AS missed_views
FROM site s
CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM collector.web_analytics_page_views_real v
            WHERE v.site_id = s.site_id AND v.ts > $2 - interval '5 minutes' AND v.ts <= $2) AS views,
           (SELECT count(DISTINCT v.visitor_id) FROM collector.web_analytics_page_views_real v
            WHERE v.site_id = s.site_id AND v.ts > $2 - interval '5 minutes' AND v.ts <= $2) AS visitors,
           (SELECT count(*) FROM collector.web_analytics_anonymous_views a
            WHERE a.site_id = s.site_id AND a.ts > $2 - interval '5 minutes' AND a.ts <= $2) AS anonymous,
           (SELECT coalesce(sum(r.count), 0)::int8 FROM collector.web_analytics_refused r
            WHERE r.site_id = s.site_id AND r.ts > $2 - interval '5 minutes' AND r.ts <= $2) AS refused) n
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) >= 2 THEN min(k.views) END AS views
    FROM (SELECT (SELECT coalesce(sum(c.views + c.anonymous), 0) FROM collector.web_analytics_curve(s.site_id, b.since, b.until, 'hour', NULL) c) AS views
          FROM generate_series(1, 4) n (weeks)
          CROSS JOIN LATERAL (SELECT (s.last AT TIME ZONE s.time_zone - n.weeks * interval '7 days') AT TIME ZONE s.time_zone AS since,
                                     ($2 AT TIME ZONE s.time_zone - n.weeks * interval '7 days') AT TIME ZONE s.time_zone AS until) b
          -- Only weeks in which the site was counted already.
          WHERE s.last IS NOT NULL AND EXISTS (
              SELECT FROM collector.web_analytics_settled d WHERE d.site_id = s.site_id AND d.day <= (b.since AT TIME ZONE s.time_zone)::date)) k) w
ORDER BY s.domain
