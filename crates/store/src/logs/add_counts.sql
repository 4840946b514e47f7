-- Adds to the lines of each hour.
-- $1 host int4; $2 hours in µs int8[]; $3 sources, $4 levels text[]; $5 counts int8[].
INSERT INTO collector.log_metrics_hourly AS h (host_id, bucket, source, level, count)
SELECT $1, timestamptz 'epoch' + hour * interval '1 microsecond', source, level, count
FROM unnest($2::int8[], $3::text[], $4::text[], $5::int8[]) AS g(hour, source, level, count)
ON CONFLICT (host_id, bucket, source, level) DO UPDATE SET count = h.count + excluded.count
