-- The views of pages of the site $1 (int4) on its days from $2 to $3 (text; NULL: no bound), of the visit $4 (text; NULL: of any), in the order of time.
-- Columns: all text, instants in UTC.
SELECT to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, r.session_id, r.page_path, r.page_title, r.position_in_session::text AS position_in_session, r.time_on_page::text AS time_on_page,
       r.scroll_depth::text AS scroll_depth, r.status::text AS status, r.is_bot::text AS is_bot
FROM collector.web_analytics_page_views r
WHERE r.site_id = $1
  AND ($2::text IS NULL OR r.created_at >= collector.web_analytics_midnight($1, $2::date))
  AND ($3::text IS NULL OR r.created_at < collector.web_analytics_midnight($1, $3::date + 1))
  AND r.session_id <> 'health-check-session' AND (r.session_id = $4::text OR $4 IS NULL)
ORDER BY r.created_at
