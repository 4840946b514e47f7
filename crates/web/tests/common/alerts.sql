-- Findings of the half hour after %START% with their transitions: one that grew worse, one without data, one that flaps,
-- one that followed from another, one that was pending only, one that ended the day before.
CREATE TEMP TABLE life (n int, rule text, target text, kind text, domain text, metric text, severity text, worst text, message text,
                        opened int, confirmed int, unknown int, over int, occurrences int, cause_rule text, cause_target text);
INSERT INTO life VALUES
    (1, 'system.mem_used_pct', '', 'alert', 'system', 'system.mem_used_pct', 'critical', 'critical', 'Memory usage is high: 96 %', 600, 620, NULL, NULL, 1, NULL, NULL),
    (2, 'db.locks_waiting', 'main', 'alert', 'db', 'db.locks_waiting', 'warn', 'warn', 'PID 9150 (psql, user app) blocks 2 sessions on orders for 45 s', 1200, 1210, 1500, NULL, 1, NULL, NULL),
    (3, 'system.cpu_busy_pct', '', 'alert', 'system', 'system.cpu_busy_pct', 'warn', 'critical', 'CPU usage is high: 91 %', 300, 330, NULL, 900, 4, NULL, NULL),
    (4, 'system.load_per_core', '', 'alert', 'system', 'system.load_per_core', 'warn', 'warn', 'Load is high: 4 per core', 310, 340, NULL, 910, 1, 'system.cpu_busy_pct', ''),
    (5, 'mount.used_pct', '/var', 'alert', 'mount', 'mount.used_pct', 'critical', 'critical', 'File system /var is 96 % full', 1700, NULL, NULL, NULL, 1, NULL, NULL),
    (6, 'advice.disk_full', 'db', 'recommendation', 'logs', NULL, 'info', 'info', 'db reports that a disk is full.', -3600, -3600, NULL, NULL, 40, NULL, NULL),
    (7, 'api.error_pct', 'shop', 'alert', 'api', 'api.error_pct', 'critical', 'critical', 'API errors of shop: 8.6 %', -90000, -89900, NULL, -86800, 1, NULL, NULL);

INSERT INTO collector.findings (host_id, rule, target, kind, domain, metric, metric_key, severity, worst, title, message, steps, command,
                                value, current_value, threshold, details, cause_rule, cause_target, opened_at, confirmed_at, seen_at,
                                unknown_since, resolved_at, occurrences, transition_at)
SELECT 1, rule, target, kind, domain, metric, nullif(target, ''), severity, worst, 'a label', message, ARRAY['Look at `ps aux`.', 'Restart it.'],
       CASE WHEN rule = 'db.locks_waiting' THEN 'SELECT pg_terminate_backend(9150)' END, 91, CASE n WHEN 1 THEN 96 END, 90,
       CASE WHEN n = 2 THEN '{"cause": "PID 9150"}'::jsonb END, cause_rule, cause_target,
       %START% + opened * interval '1 s', %START% + confirmed * interval '1 s', %START% + coalesce(over, unknown, 1780) * interval '1 s',
       %START% + unknown * interval '1 s', %START% + over * interval '1 s', occurrences, %START% + coalesce(over, 1700) * interval '1 s'
FROM life ORDER BY n;

INSERT INTO collector.finding_transitions_raw (ts, host_id, rule, target, transition, kind, domain, metric, severity, worst, title, message,
                                               steps, value, threshold, opened_at, confirmed_at, seen_at, occurrences)
SELECT %START% + at * interval '1 s', 1, rule, target, transition, kind, domain, metric, t.severity, t.severity, 'a label', message,
       '[]', t.value, 90, %START% + opened * interval '1 s', CASE WHEN at >= confirmed THEN %START% + confirmed * interval '1 s' END,
       %START% + at * interval '1 s', t.occurrences
FROM life JOIN (VALUES
    (1, 610, 'opened', 'warn', 91::float8, 1), (1, 620, 'confirmed', 'warn', 91, 1), (1, 650, 'refreshed', 'warn', 92, 1),
    (1, 700, 'worse', 'critical', 96, 1),
    (3, 300, 'opened', 'warn', 91, 1), (3, 330, 'confirmed', 'warn', 91, 1), (3, 400, 'worse', 'critical', 99, 2),
    (3, 500, 'better', 'warn', 91, 4), (3, 900, 'resolved', 'warn', 91, 4),
    (5, 1700, 'opened', 'critical', 96, 1)
) t (n, at, transition, severity, value, occurrences) USING (n);
