-- Security events of a range by type and target, with the details of the newest.
-- $1 host int4, $2 from, $3 to (timestamptz). Index: security_events_ts.
SELECT event_type, coalesce(source_ip, username, source) AS target, sum(count)::int8 AS count,
       min(first_ts) AS first, max(ts) AS last,
       (array_agg(source ORDER BY ts DESC))[1] AS source,
       (array_agg(severity ORDER BY array_position(ARRAY['critical', 'warn', 'info'], severity)))[1] AS severity,
       (array_agg(details::text ORDER BY ts DESC))[1] AS details
FROM collector.security_events
WHERE host_id = $1 AND ts >= $2 AND ts < $3
GROUP BY event_type, coalesce(source_ip, username, source)
