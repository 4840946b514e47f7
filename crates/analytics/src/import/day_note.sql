-- Notes until when the day $2 (text) of the site $1 (int4) is imported: $3 (int8), microseconds.
INSERT INTO collector.web_analytics_imported_days AS d (site_id, day, until)
VALUES ($1, $2::text::date, to_timestamp($3::int8 / 1000000) + ($3::int8 % 1000000) * interval '1 microsecond')
ON CONFLICT (site_id, day) DO UPDATE SET until = greatest(d.until, excluded.until)
