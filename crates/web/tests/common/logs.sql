-- Lines of logs over the half hour after %START%, with what is counted of them.
--
-- auth writes one line per second, every tenth of them a warning; db one per ten seconds, every sixth an
-- error; broken cannot be read. Two lines of db share instant, source and place, as two files of one
-- source may. Hours before hold a pattern that was merged into another one.
INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, message_chars, context, fingerprint)
SELECT %START% + i * interval '1 s', 1, 'auth', i * 100, CASE WHEN i % 10 = 0 THEN 'warn' ELSE 'info' END, 'sshd',
       'Session ' || i || CASE WHEN i % 10 = 0 THEN ' failed for Müller' ELSE ' opened for deploy' END, NULL, jsonb_build_object('pid', i),
       CASE WHEN i % 10 = 0 THEN 'aaaaaaaaaaaaaaaa' ELSE 'bbbbbbbbbbbbbbbb' END
FROM generate_series(0, 1790) i;
INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, message_chars, context, fingerprint)
SELECT %START% + i * interval '10 s', 1, 'db', i * 200, CASE WHEN i % 6 = 0 THEN 'error' ELSE 'info' END, 'postgres',
       CASE WHEN i % 6 = 0 THEN '<img src=x onerror=alert(1)> 100%_done\' ELSE 'checkpoint complete' END,
       CASE WHEN i = 6 THEN 9000 END, NULL, CASE WHEN i % 6 = 0 THEN 'cccccccccccccccc' ELSE 'dddddddddddddddd' END
FROM generate_series(0, 179) i, generate_series(1, 2) twin WHERE twin = 1 OR i = 90;
-- Before the range: under a name that was merged into another one.
INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, fingerprint)
VALUES (%START% - interval '90 minutes', 1, 'auth', 0, 'warn', 'sshd', 'Session old failed', 'eeeeeeeeeeeeeeee');

INSERT INTO collector.log_metrics_hourly (host_id, bucket, source, level, count)
SELECT host_id, date_trunc('hour', ts, 'UTC'), source, level, count(*) FROM collector.log_entries GROUP BY 1, 2, 3, 4;
INSERT INTO collector.log_fingerprint_hourly (host_id, bucket, fingerprint, source, level, count)
SELECT host_id, date_trunc('hour', ts, 'UTC'), fingerprint, source, level, count(*) FROM collector.log_entries GROUP BY 1, 2, 3, 4, 5;
INSERT INTO collector.log_patterns (host_id, fingerprint, source, level, template, alias_of, sample, occurrences, first_seen, last_seen)
SELECT host_id, fingerprint, source, level,
       CASE fingerprint WHEN 'aaaaaaaaaaaaaaaa' THEN 'Session <*> failed for <*>' ELSE 'template of ' || left(fingerprint, 1) END,
       CASE fingerprint WHEN 'eeeeeeeeeeeeeeee' THEN 'aaaaaaaaaaaaaaaa' END, min(message), count(*), min(ts), max(ts)
FROM collector.log_entries GROUP BY host_id, fingerprint, source, level;
-- A pattern seen twice, weeks ago: it counts only while it is in the range.
INSERT INTO collector.log_patterns (host_id, fingerprint, source, level, template, sample, occurrences, first_seen, last_seen)
VALUES (1, 'ffffffffffffffff', 'db', 'error', 'out of disk', 'out of disk', 2, %START% - interval '20 days', %START% - interval '19 days');
INSERT INTO collector.log_fingerprint_hourly (host_id, bucket, fingerprint, source, level, count)
VALUES (1, date_trunc('hour', %START% - interval '20 days', 'UTC'), 'ffffffffffffffff', 'db', 'error', 2);

INSERT INTO collector.log_sources_raw (ts, host_id, source, kind, place, parser, status, error, debug_lines, info_lines, warn_lines,
                                       error_lines, bytes, backlog_bytes, overflowed, last_line)
SELECT %START% + i * interval '10 s', 1, s, k, p, r, CASE s WHEN 'broken' THEN 'denied' ELSE 'ok' END,
       CASE s WHEN 'broken' THEN 'cannot open /var/log/broken.log: permission denied' END,
       -- A restart in the middle: counters begin anew.
       0, CASE s WHEN 'auth' THEN i % 90 * 9 WHEN 'db' THEN i % 90 ELSE 0 END, CASE s WHEN 'auth' THEN i % 90 ELSE 0 END,
       CASE s WHEN 'db' THEN i % 90 / 6 ELSE 0 END, CASE s WHEN 'broken' THEN 0 ELSE i % 90 * 1000 END,
       CASE s WHEN 'auth' THEN 100000000 WHEN 'db' THEN 0 END, 0,
       CASE s WHEN 'auth' THEN %START% + i * interval '10 s' WHEN 'db' THEN %START% - interval '2 hours' END
FROM generate_series(0, 179) i,
     (VALUES ('auth', 'file', '/var/log/auth.log', 'syslog'), ('db', 'file', '/var/log/postgresql/*.log', 'postgresql'),
             ('broken', 'file', '/var/log/broken.log', 'syslog')) v (s, k, p, r);

INSERT INTO collector.security_events (ts, host_id, event_type, severity, source, source_ip, username, count, first_ts, details)
VALUES (%START% + interval '10 minutes', 1, 'ssh_brute_force', 'critical', 'auth', '203.0.113.9', NULL, 250, %START%, '{"usernames": ["root", "admin"]}'),
       (%START% + interval '11 minutes', 1, 'fail2ban_ban', 'info', 'fail2ban', '203.0.113.9', NULL, 1, %START% + interval '11 minutes', NULL),
       (%START% - interval '3 hours', 1, 'sudo_failure', 'warn', 'auth', NULL, 'deploy', 3, %START% - interval '3 hours', '{}');
