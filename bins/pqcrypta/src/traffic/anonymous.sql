-- The views without consent of the site $1 (int4) on its days from $2 to $3 (text; NULL: no bound), of the visit $4 (text; NULL: of any), in the order of time.
-- Columns: all text, instants in UTC.
SELECT to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, r.page_path, r.page_title, r.source, r.device, r.country, r.time_on_page::text AS time_on_page,
       r.scroll_depth::text AS scroll_depth, r.status::text AS status
FROM collector.web_analytics_anonymous_views r
WHERE r.site_id = $1
  AND ($2::text IS NULL OR r.created_at >= collector.web_analytics_midnight($1, $2::date))
  AND ($3::text IS NULL OR r.created_at < collector.web_analytics_midnight($1, $3::date + 1))
  AND $4::text IS NULL
ORDER BY r.created_at
