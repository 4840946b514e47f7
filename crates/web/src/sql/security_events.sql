-- Security events in the logs of a host, within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: id text, ts_ms, first_ms timestamptz, event_type, severity, source, source_ip, username text,
-- count int8, details text (JSON), sev_event_type text.
-- Rows: the newest 2000. Index: security_events_ts.
WITH words (name, label) AS (VALUES
    ('ssh_brute_force', 'SSH brute force'), ('ssh_slow_brute_force', 'SSH brute force, slow'),
    ('ssh_distributed', 'SSH brute force from many addresses'), ('ssh_success_after_failures', 'SSH login after failures'),
    ('fail2ban_ban', 'fail2ban ban'), ('fail2ban_unban', 'fail2ban unban'), ('firewall_block', 'Blocked by firewall'),
    ('sudo_failure', 'sudo failure')
)
SELECT concat_ws('.', (extract(epoch FROM ts) * 1000000)::int8, event_type, source_ip, username,
                 row_number() OVER (PARTITION BY ts, event_type, source_ip, username ORDER BY first_ts, source, count)) AS id,
       ts AS ts_ms, first_ts AS first_ms, coalesce(label, replace(event_type, '_', ' ')) AS event_type, severity, source, source_ip, username, count,
       left(nullif(details, '{}')::text, 4000) AS details,
       severity AS sev_event_type
FROM collector.security_events
LEFT JOIN words ON name = event_type
WHERE host_id = $1 AND ts >= $2 AND ts < $3
ORDER BY ts DESC, security_events.event_type, source_ip, username
LIMIT 2000
