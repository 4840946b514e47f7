-- What lines of logs meant for the security of a host, within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: id text, ts_ms, first_ms timestamptz, event_type, severity, source, source_ip, username text,
-- count int8, details text (JSON), sev_event_type text.
-- Rows: the newest 2000. Index: security_events_ts.
SELECT concat_ws('.', (extract(epoch FROM ts) * 1000000)::int8, event_type, source_ip, username,
                 row_number() OVER (PARTITION BY ts, event_type, source_ip, username ORDER BY first_ts, source, count)) AS id,
       ts AS ts_ms, first_ts AS first_ms, event_type, severity, source, source_ip, username, count,
       left(nullif(details, '{}')::text, 4000) AS details,
       CASE severity WHEN 'critical' THEN 'crit' ELSE severity END AS sev_event_type
FROM collector.security_events
WHERE host_id = $1 AND ts >= $2 AND ts < $3
ORDER BY ts DESC, event_type, source_ip, username
LIMIT 2000
