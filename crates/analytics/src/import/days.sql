-- Which days of the site $1 (int4) have rows or sums, and until when are they imported?
-- Columns: day text; until int8 (microseconds; NULL: the day takes nothing more).
SELECT s.day::text, (extract(epoch FROM d.until) * 1000000)::int8
FROM collector.web_analytics_settled s
LEFT JOIN collector.web_analytics_imported_days d USING (site_id, day)
WHERE s.site_id = $1
