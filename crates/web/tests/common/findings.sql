-- Findings about the half hour after %START%: open and over ones of every kind and severity.
INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, value, expected,
                                score, details, opened_at, confirmed_at, seen_at, occurrences, resolved_at)
SELECT 1, rule, target, kind, domain, severity, severity, title, message, steps, value, expected, 12, details,
       %START% + opened * interval '1 minute', %START% + opened * interval '1 minute', %START% + seen * interval '1 minute', times, %START% + over * interval '1 minute'
FROM (VALUES
    ('log_error_spike', 'db', 'insight', 'logs', 'warn', 'Far more errors than usual', 'db logged 31 errors in 5 minutes; 2 are usual.',
     ARRAY['Read them: `journalctl -u postgresql`.', E'Look for a\nfull disk.'], 31::float8, 2::float8, '{"source": "db"}'::jsonb, 20, 29, 4, NULL::int),
    ('log_new_pattern', 'cccccccccccccccc', 'insight', 'logs', 'warn', 'An error never seen before', 'First seen 7 minutes ago, 12 times since.',
     ARRAY['Open its lines.'], 12, NULL, '{"source": "db", "fingerprint": "cccccccccccccccc", "template": "<img src=x onerror=alert(1)> <*>"}', 22, 29, 3, NULL),
    ('log_rare_pattern', 'dddddddddddddddd', 'insight', 'logs', 'info', 'A rare line', 'Seen twice in 30 days.', ARRAY[]::text[],
     2, NULL, '{"source": "db", "fingerprint": "dddddddddddddddd"}', 25, 29, 1, NULL),
    ('advice.disk_full', 'db', 'recommendation', 'logs', 'info', 'Make room on the disk', 'db reports that a disk is full.', ARRAY['`df -h`'],
     NULL, NULL, '{"source": "db"}', -60, 29, 40, NULL),
    ('ssh_brute_force', '203.0.113.9', 'alert', 'security', 'critical', 'Password guessing over SSH', '250 failed passwords in 10 minutes.',
     ARRAY['Block it: `fail2ban-client set sshd banip 203.0.113.9`.', 'Turn passwords off.'], 250, 5, '{"source": "auth"}', 10, 29, 6, NULL),
    ('ssh_success_after_failures', '198.51.100.7', 'alert', 'security', 'critical', 'A login after many failures', 'deploy came in.',
     ARRAY['Ask deploy.'], 12, NULL, NULL, 2, 12, 3, 14),
    ('sudo_failure', 'deploy', 'insight', 'security', 'warn', 'sudo was refused', '3 times.', ARRAY['Ask deploy.'], 3, NULL, NULL, -200, -190, 1, -180)
) v (rule, target, kind, domain, severity, title, message, steps, value, expected, details, opened, seen, times, over);
