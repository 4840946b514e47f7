-- Every site, and when it was first visited: the first day that has rows, or the first view without a visit.
SELECT s.site_id, s.domain, s.time_zone,
       (SELECT min(d.day)::timestamp AT TIME ZONE s.time_zone FROM collector.web_analytics_settled d WHERE d.site_id = s.site_id) AS first
FROM collector.web_analytics_sites s
ORDER BY s.domain
