-- Findings of a made-up host: 'alarmed'. Times are minutes before now, the same now for all of them.
BEGIN;
SELECT e2e.add_host('alarmed', true);
SELECT e2e.fill(host_id, interval '90 minutes') FROM collector.hosts WHERE hostname = 'alarmed';
UPDATE collector.agent_runs r SET settings = settings || '{"intervals.heartbeat_secs": ["10", "file"]}'
FROM collector.hosts c WHERE c.hostname = 'alarmed' AND r.host_id = c.host_id;
-- Ten minutes in which it did not report.
DELETE FROM collector.heartbeat h USING collector.hosts c
WHERE c.hostname = 'alarmed' AND h.host_id = c.host_id AND h.ts > now() - interval '50 minutes' AND h.ts < now() - interval '40 minutes';

CREATE TABLE e2e.life AS
SELECT * FROM (VALUES
    (1, 'system.mem_used_pct', '', 'alert', 'system', 'system.mem_used_pct', 'critical', 'critical', 'Memory usage is high: 96.2 %',
     ARRAY['Find the process: `ps aux --sort=-rss | head`.', 'Restart it.'], NULL, NULL, 96.2::float8, 92::float8, 30, 29, NULL::int, NULL::int, 1, NULL),
    (2, 'db.locks_waiting', 'main', 'alert', 'db', 'db.locks_waiting', 'warn', 'warn', 'PID 9150 (psql, user app) blocks 2 sessions on orders for 45 s',
     ARRAY['Cancel the statement, then look why it waits.'], NULL, 'SELECT pg_cancel_backend(9150)', 2, 1, 12, 11, NULL, NULL, 1, NULL),
    (3, 'system.cpu_busy_pct', '', 'alert', 'system', 'system.cpu_busy_pct', 'warn', 'critical', 'CPU usage is high: 91 %',
     ARRAY['Find the process: `top`.'], NULL, NULL, 91, 90, 55, 54, NULL, 35, 4, NULL),
    (4, 'system.load_per_core', '', 'alert', 'system', 'system.load_per_core', 'warn', 'warn', 'Load is high: 4.2 per core',
     ARRAY['Look at CPU usage first.'], NULL, NULL, 4.2, 4, 52, 51, NULL, 33, 1, 'system.cpu_busy_pct'),
    (5, 'target.up', 'shop', 'alert', 'target', 'target.up', 'critical', 'critical', 'The target shop does not answer',
     ARRAY['Look at its log: `journalctl -u shop`.'], 'systemctl status shop', NULL, 0, 1, 20, 19, 10, NULL, 1, NULL),
    (6, 'advice.disk_full', '/var', 'recommendation', 'system', NULL, 'info', 'info', 'Make room on <b>/var</b>',
     ARRAY['`du -xsh /var/*`'], NULL, NULL, NULL, NULL, 80, 80, NULL, NULL, 1, NULL),
    (7, 'mount.used_pct', '/srv', 'alert', 'mount', 'mount.used_pct', 'critical', 'critical', 'File system /srv is 97 % full',
     ARRAY['Make room.'], NULL, NULL, 97, 90, 3, NULL, NULL, NULL, 1, NULL)
) l (n, rule, target, kind, domain, metric, severity, worst, message, steps, command, action_sql, value, threshold, opened, confirmed, unknown,
     over, occurrences, cause_rule);

INSERT INTO collector.findings (host_id, rule, target, kind, domain, metric, metric_key, severity, worst, title, message, steps, command,
                                action_sql, value, threshold, cause_rule, cause_target, opened_at, confirmed_at, seen_at, unknown_since,
                                resolved_at, occurrences, transition_at)
SELECT c.host_id, rule, target, kind, domain, metric, nullif(target, ''), severity, worst, 'label', message, steps, command, action_sql, value,
       threshold, cause_rule, CASE WHEN cause_rule IS NOT NULL THEN '' END, now() - opened * interval '1 minute',
       now() - confirmed * interval '1 minute', now() - coalesce(over, unknown, 0) * interval '1 minute',
       now() - unknown * interval '1 minute', now() - over * interval '1 minute', occurrences, now() - coalesce(over, unknown, 1) * interval '1 minute'
FROM e2e.life, collector.hosts c WHERE c.hostname = 'alarmed' ORDER BY n;

INSERT INTO collector.finding_transitions_raw (ts, host_id, rule, target, transition, kind, domain, metric, severity, worst, title, message,
                                               steps, value, threshold, opened_at, confirmed_at, seen_at, occurrences)
SELECT now() - t.back * interval '1 minute', c.host_id, rule, target, transition, kind, domain, metric, t.severity, t.severity, 'label',
       t.message, '[]', t.value, threshold, now() - opened * interval '1 minute',
       CASE WHEN t.back <= confirmed THEN now() - confirmed * interval '1 minute' END, now() - t.back * interval '1 minute', t.occurrences
FROM e2e.life JOIN (VALUES
    (1, 30, 'opened', 'warn', 'Memory usage is high: 88 %', 88, 1), (1, 29, 'confirmed', 'warn', 'Memory usage is high: 88.4 %', 88.4, 1),
    (1, 18, 'worse', 'critical', 'Memory usage is high: 93 %', 93, 1), (1, 1, 'refreshed', 'critical', 'Memory usage is high: 96.2 %', 96.2, 1),
    (3, 55, 'opened', 'warn', 'CPU usage is high: 90.5 %', 90.5, 1), (3, 54, 'confirmed', 'warn', 'CPU usage is high: 91 %', 91, 1),
    (3, 48, 'worse', 'critical', 'CPU usage is high: 99 %', 99, 2), (3, 42, 'better', 'warn', 'CPU usage is high: 91 %', 91, 4),
    (3, 35, 'resolved', 'warn', 'CPU usage is high: 91 %', 91, 4)
) t (n, back, transition, severity, message, value, occurrences) USING (n), collector.hosts c
WHERE c.hostname = 'alarmed';
COMMIT;
