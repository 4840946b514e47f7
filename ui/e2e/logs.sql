-- Logs of a made-up host: 'loud'.
--
-- At each sample auth writes two lines, one of them a failed password (a warning), db one line (every sixth
-- an error) and app one of five kinds; the lines of a sample lie a few milliseconds apart. secure cannot
-- be read, mail is silent. Counts by hour and patterns are kept as the collector keeps them. One line of
-- app, half an hour ago, means harm; one, ten minutes ago, is the only one of its kind. Findings report them.
SET client_min_messages = warning;

CREATE FUNCTION e2e.put_lines(of_host integer, lines jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, message_chars, context, fingerprint)
        SELECT ts, host_id, source, at, level, component, message, message_chars, context, fingerprint
        FROM jsonb_populate_recordset(NULL::collector.log_entries, lines);
    INSERT INTO collector.log_metrics_hourly
        SELECT of_host, date_trunc('hour', ts, 'UTC'), source, level, count(*)
        FROM jsonb_populate_recordset(NULL::collector.log_entries, lines) GROUP BY 2, 3, 4
        ON CONFLICT (host_id, bucket, source, level) DO UPDATE SET count = log_metrics_hourly.count + excluded.count;
    INSERT INTO collector.log_fingerprint_hourly
        SELECT of_host, date_trunc('hour', ts, 'UTC'), fingerprint, source, level, count(*)
        FROM jsonb_populate_recordset(NULL::collector.log_entries, lines) GROUP BY 2, 3, 4, 5
        ON CONFLICT (host_id, bucket, fingerprint) DO UPDATE SET count = log_fingerprint_hourly.count + excluded.count;
    INSERT INTO collector.log_patterns (host_id, fingerprint, source, level, template, sample, occurrences, first_seen, last_seen)
        SELECT of_host, fingerprint, source, level, regexp_replace(min(message), '[0-9]+', '<*>', 'g'), min(message), count(*),
               min(ts), max(ts)
        FROM jsonb_populate_recordset(NULL::collector.log_entries, lines) GROUP BY 2, 3, 4
        ON CONFLICT (host_id, fingerprint) DO UPDATE SET occurrences = log_patterns.occurrences + excluded.occurrences,
            last_seen = greatest(log_patterns.last_seen, excluded.last_seen);
$$;

-- The functions read a temporary table of instants that is there when they run.
SET check_function_bodies = off;
CREATE FUNCTION e2e.put_logs(of_host integer) RETURNS void LANGUAGE sql AS $$
    SELECT e2e.put_lines(of_host, coalesce(jsonb_agg(jsonb_build_object(
        'ts', a.ts + l.ms * interval '1 ms', 'host_id', of_host, 'source', l.source, 'at', a.s * 1000 + l.ms, 'level', l.level,
        'component', l.component, 'message', l.message, 'fingerprint', left(md5(l.kind), 16),
        'context', jsonb_build_object('pid', a.s % 30000, 'host', 'web-1'))), '[]'))
    FROM at_instant a, LATERAL (VALUES
        (1, 'auth', 'info', 'sshd', 'accepted', format('Accepted publickey for deploy from 192.168.7.%s port %s ssh2', a.s % 200, 1024 + a.s % 50000)),
        (2, 'auth', 'warn', 'sshd', 'failed', format('Failed password for invalid user admin%s from 203.0.113.%s port %s ssh2', a.s % 9, a.s % 250, 1024 + a.s % 50000)),
        (3, 'db', CASE WHEN a.s / 10 % 6 = 0 THEN 'error' ELSE 'info' END, 'postgres', 'db' || (a.s / 10 % 6 = 0),
            CASE WHEN a.s / 10 % 6 = 0 THEN format('duplicate key value violates unique constraint "orders_pkey", key (id)=(%s)', a.s)
                 ELSE format('checkpoint complete: wrote %s buffers', a.s) END),
        (4, 'app', (ARRAY['debug', 'info', 'info', 'info', 'warn'])[a.s / 10 % 5 + 1], 'checkout', 'app' || a.s / 10 % 5,
            (ARRAY['cache looked up', 'order placed', 'mail sent', 'session began', 'payment provider was slow'])[a.s / 10 % 5 + 1]
            || format(', request %s took %s ms', a.s, a.s % 700))
    ) l (ms, source, level, component, kind, message);

    INSERT INTO collector.log_sources_raw
        SELECT a.ts, of_host, v.source, 'file', v.place, v.parser, v.status, v.error, 0, a.s * v.info, a.s * v.warn, a.s / 60 * v.error_lines,
               a.s * v.info * 108, v.backlog, 0, CASE WHEN v.source = 'mail' THEN a.ts - interval '5 hours' WHEN v.status = 'ok' THEN a.ts END
        FROM at_instant a, (VALUES
            ('auth', '/var/log/auth.log', 'syslog', 'ok', NULL, 1, 1, 0, 0),
            ('db', '/var/log/postgresql/postgresql-*.log', 'postgresql', 'ok', NULL, 1, 0, 1, 4096),
            ('app', 'checkout.service', 'journalctl', 'ok', NULL, 2, 1, 0, 0),
            ('mail', '/var/log/mail.log', 'syslog', 'ok', NULL, 0, 0, 0, 0),
            ('secure', '/var/log/secure', 'syslog', 'denied', 'cannot open /var/log/secure: permission denied', 0, 0, 0, NULL)
        ) v (source, place, parser, status, error, info, warn, error_lines, backlog);
$$;

CREATE OR REPLACE FUNCTION e2e.put_services(of_host integer, of_kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF of_kind = 'loud' THEN
        PERFORM e2e.put_logs(of_host);
    ELSE
        PERFORM e2e.put_servers(of_host, of_kind);
        PERFORM e2e.put_relations(of_host, of_kind);
        PERFORM e2e.put_applications(of_host, of_kind);
    END IF;
END $$;

SELECT e2e.add_host('loud', true);
UPDATE e2e.host SET services = 'loud' WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'loud');
SELECT e2e.fill(host_id, interval '90 minutes') FROM e2e.host WHERE services = 'loud';

SELECT e2e.put_lines(host_id, jsonb_build_array(
    jsonb_build_object('ts', now() - interval '30 minutes', 'host_id', host_id, 'source', 'app', 'at', 7, 'level', 'error',
        'component', '<b>x</b>', 'message', '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> ' || E'\u202Egnp.exe '
        || repeat('long', 950), 'message_chars', 100000, 'fingerprint', 'hostile000000000',
        'context', jsonb_build_object('<i>key</i>', '<script>window.hacked=1</script>', 'trace', E'at a()\n  at b()\n  at c()')),
    jsonb_build_object('ts', now() - interval '10 minutes', 'host_id', host_id, 'source', 'db', 'at', 8, 'level', 'error',
        'component', 'postgres', 'message', 'could not extend file "base/16384/2619": No space left on device 100%_full',
        'fingerprint', 'needle0000000000', 'context', '{"sqlstate": "53100"}'::jsonb)))
FROM e2e.host WHERE services = 'loud';
-- Patterns of long ago, so that what is new stands out.
INSERT INTO collector.log_patterns (host_id, fingerprint, source, level, template, sample, occurrences, first_seen, last_seen)
SELECT host_id, 'ancient000000000', 'app', 'info', 'started', 'started', 4, now() - interval '40 days', now() - interval '9 days'
FROM e2e.host WHERE services = 'loud';
UPDATE collector.log_patterns SET first_seen = now() - interval '20 days', occurrences = occurrences + 9000
WHERE source IN ('auth', 'db') AND fingerprint <> 'needle0000000000';

INSERT INTO collector.security_events (ts, host_id, event_type, severity, source, source_ip, username, count, first_ts, details)
SELECT now() - e.back * interval '1 minute', host_id, e.kind, e.severity, e.source, e.ip, e.name, e.count, now() - (e.back + 5) * interval '1 minute', e.details
FROM e2e.host, (VALUES
    (8, 'ssh_brute_force', 'critical', 'auth', '203.0.113.77', NULL, 412, '{"usernames": ["root", "admin"], "advice": "fail2ban-client set sshd banip 203.0.113.77"}'::jsonb),
    (14, 'fail2ban_ban', 'info', 'fail2ban', '203.0.113.9', NULL, 1, NULL),
    (25, 'sudo_failure', 'warn', 'auth', NULL, '<u>deploy</u>', 3, NULL),
    (40, 'firewall_block', 'info', 'kernel', '2001:db8::7', NULL, 96, NULL)
) e (back, kind, severity, source, ip, name, count, details) WHERE services = 'loud';

INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, value, expected, score,
                                details, opened_at, confirmed_at, seen_at, occurrences, resolved_at)
SELECT host_id, f.rule, f.target, f.kind, f.domain, f.severity, f.severity, f.title, f.message, f.steps, f.value, f.expected, f.score, f.details,
       now() - f.opened * interval '1 minute', now() - f.opened * interval '1 minute', now() - f.seen * interval '1 minute', f.times, now() - f.over * interval '1 minute'
FROM e2e.host, (VALUES
    ('ssh_brute_force', '203.0.113.77', 'alert', 'security', 'critical', 'Passwords are guessed',
     '203.0.113.77: 412 failed logins in the last hour (source: auth).',
     ARRAY['Block the address: `fail2ban-client set sshd banip 203.0.113.77`', 'See that none came in: `last -i | grep 203.0.113.77`',
           'Allow keys only: `PasswordAuthentication no` in /etc/ssh/sshd_config, then `systemctl reload ssh`'],
     412::float8, NULL::float8, NULL::float8, '{"source": "auth"}'::jsonb, 8, 1, 3, NULL::int),
    ('log_error_spike', 'db error', 'insight', 'logs', 'warn', 'Errors come in numbers',
     'db wrote 31 errors in five minutes; 2 are usual at this hour.',
     ARRAY['Read what they say: the lines of this source since the spike began', 'See how the service fares: `systemctl status postgresql`'],
     31, 2, 17.4, jsonb_build_object('source', 'db', 'level', 'error', 'fingerprint', left(md5('dbtrue'), 16)), 12, 1, 4, NULL),
    ('log_new_pattern', 'hostile000000000', 'insight', 'logs', 'warn', 'A new kind of message',
     'app wrote, 14 times so far, what it had not written before: <img src=x onerror="window.hacked=1"> ' || E'\u202Egnp.exe',
     ARRAY['Run `<script>window.hacked=1</script>` and <b>nothing</b> else', E'Open it`s lines\nand those around them'],
     14, NULL, NULL, '{"source": "app", "fingerprint": "hostile000000000", "template": "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script> long long long"}',
     29, 1, 9, NULL),
    ('log_new_pattern', 'needle0000000000', 'insight', 'logs', 'info', 'A new kind of message',
     'db wrote, once so far, what it had not written before: could not extend file <*>', ARRAY['Read its lines, and those around the first of them'],
     1, NULL, NULL, '{"source": "db", "fingerprint": "needle0000000000", "template": "could not extend file <*>: No space left on device <*>"}', 9, 1, 3, NULL),
    ('advice.disk_full', 'db', 'recommendation', 'logs', 'info', 'A disk is full', 'db: No space left on device, once in the last hour.',
     ARRAY['See which one: `df -h`', 'See what grows: `du -xh --max-depth=2 / | sort -h | tail`'], 1, NULL, NULL, '{"source": "db"}', 150, 1, 48, NULL),
    ('fail2ban_ban', '203.0.113.9', 'insight', 'security', 'info', 'An address was banned', '203.0.113.9: once in the last hour (source: fail2ban).',
     ARRAY[]::text[], 1, NULL, NULL, NULL, 14, 1, 4, NULL),
    ('sudo_failure', '<u>deploy</u>', 'alert', 'security', 'warn', 'sudo was refused', 'deploy: 3 in the last hour (source: auth).',
     ARRAY['Ask who it was'], 3, NULL, NULL, '{"source": "auth"}', 55, 26, 8, 25)
) f (rule, target, kind, domain, severity, title, message, steps, value, expected, score, details, opened, seen, times, over)
WHERE services = 'loud';

SELECT e2e.find(host_id, 'log.readable', 'secure', 'warn', 'Log secure cannot be read', '{"value": 0, "threshold": 0,
           "details": {"cause": "cannot open /var/log/secure: permission denied"}}')
FROM e2e.host WHERE services = 'loud';
