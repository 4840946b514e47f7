-- Open, confirmed alerts of every host that was not removed by severity, hosts without any as 0.
-- Parameters: none. Columns: host name text, severity text, count int8. Index: findings_open.
SELECT h.hostname, s.severity, count(f.rule)
FROM (SELECT host_id FROM collector.spool_watermark GROUP BY host_id) w
CROSS JOIN (VALUES ('warn'), ('critical')) s (severity)
LEFT JOIN collector.findings f
    ON f.host_id = w.host_id AND f.severity = s.severity AND f.kind = 'alert' AND f.resolved_at IS NULL
   AND f.confirmed_at IS NOT NULL AND coalesce(f.expires_at, 'infinity') > now()
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE h.removed_at IS NULL
GROUP BY h.hostname, s.severity
ORDER BY h.hostname, s.severity
