-- The visits of the site $1 (int4) on its days from $2 to $3 (text; NULL: no bound), of the visit $4 (text; NULL: of any), in the order of time.
-- Columns: all text, instants in UTC.
SELECT to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, r.session_id, r.last_seen::text AS last_seen, r.session_duration::text AS session_duration, r.page_views::text AS page_views, r.entry_page, r.exit_page,
       r.source, r.channel, r.referrer, r.utm_source, r.utm_medium, r.utm_campaign, r.browser, r.os, r.device_type, r.language, r.country, r.asn::text AS asn,
       r.screen_width::text AS screen_width, r.consented::text AS consented, r.is_bounce::text AS is_bounce, r.is_bot::text AS is_bot
FROM collector.web_analytics_sessions r
WHERE r.site_id = $1
  AND ($2::text IS NULL OR r.created_at >= collector.web_analytics_midnight($1, $2::date))
  AND ($3::text IS NULL OR r.created_at < collector.web_analytics_midnight($1, $3::date + 1))
  AND r.session_id <> 'health-check-session' AND (r.session_id = $4::text OR $4 IS NULL)
ORDER BY r.created_at
