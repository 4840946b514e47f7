-- Notes the days $2 (text[]) of the site $1 (int4) as added up, by an import that leaves no room for another one.
WITH days AS (SELECT DISTINCT d::date AS day FROM unnest($2::text[]) d),
settled AS (
    INSERT INTO collector.web_analytics_settled (site_id, day, dirty, settled_at) SELECT $1::int4, day, false, now() FROM days
)
INSERT INTO collector.web_analytics_imported_days (site_id, day, until) SELECT $1, day, NULL FROM days
