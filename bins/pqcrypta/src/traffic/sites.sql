-- The number of the site $1 (text), or of every site when it is NULL.
SELECT site_id FROM collector.web_analytics_sites WHERE domain = $1::text OR $1 IS NULL
