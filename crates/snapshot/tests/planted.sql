-- A host with 80 minutes of samples until 10:10, an hour of which is quiet; what happens from 10:00 on is known.
INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores) VALUES ('m1', 'alpha', '6.1.0', 'Debian 12', 4);
INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at)
VALUES (1, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 77, '0.1.0', '2026-09-20 08:50+00');

-- The processor from 20 to 90 percent, with a gap of samples of 10:06; memory as ever.
INSERT INTO collector.system_metrics_raw (ts, host_id, cpu_user, cpu_nice, cpu_system, cpu_idle, cpu_iowait, cpu_irq, cpu_softirq,
                                          cpu_steal, cpu_guest, cpu_count, mem_total, mem_used, mem_available, load_1, load_5, load_15)
SELECT ts, 1, busy, 0, 0, 100 - busy, 0, 0, 0, 0, 0, 4, 8000000000, 4000000000, 4000000000, 1.5 + i % 3 * 0.1, 1.25, 1
FROM (SELECT ts, i, CASE WHEN ts >= '2026-09-20 10:00+00' THEN 90 ELSE 20 + i % 5 END AS busy
      FROM (SELECT '2026-09-20 08:50+00'::timestamptz + i * interval '10 s' AS ts, i FROM generate_series(0, 479) i) t) s
WHERE NOT (ts >= '2026-09-20 10:06+00' AND ts < '2026-09-20 10:07+00');

-- One mount fills, one reports nothing from 10:00 on, one appears then.
INSERT INTO collector.mount_metrics_raw (ts, host_id, mount, device, fs_type, total_bytes, available_bytes, usage_pct, inodes_total,
                                         inodes_free, read_only)
SELECT ts, 1, m, '/dev/' || m, 'ext4', 100000000000, 60000000000,
       CASE WHEN m = '/full' AND ts >= '2026-09-20 10:00+00' THEN 97 ELSE 40 END, 1000, 900, false
FROM (SELECT '2026-09-20 08:50+00'::timestamptz + i * interval '10 s' AS ts FROM generate_series(0, 479) i) t,
     unnest(ARRAY['/', '/full', '/gone', '/new']) m
WHERE NOT (m = '/gone' AND ts >= '2026-09-20 09:55+00') AND NOT (m = '/new' AND ts < '2026-09-20 10:00+00');

-- A program whose name would be markup.
INSERT INTO collector.process_metrics_raw (ts, host_id, process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, fd_count, fd_limit,
                                           thread_count, state, uptime_secs, parent_pid, unit, uid, watched, process_count)
SELECT ts, 1, n, pid, 1, CASE WHEN pid = 7 AND ts >= '2026-09-20 10:00+00' THEN 300 ELSE 2 END, 100000000, 200000000, 10, 1024, 2, 'S',
       1000, 1, 'x.service', 0, false, 1
FROM (SELECT '2026-09-20 08:50+00'::timestamptz + i * interval '10 s' AS ts FROM generate_series(0, 479) i) t,
     (VALUES ('calm', 6), ('<b>|evil', 7)) p (n, pid);

INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, metric, value, threshold,
                                expected, baseline_stddev, z_score, drift_pct, opened_at, confirmed_at, seen_at, resolved_at)
VALUES (1, 'system.cpu_busy_pct', '', 'alert', 'system', 'critical', 'critical', 'CPU busy', 'CPU is 90 % busy',
        ARRAY['See which program it is.'], 'system.cpu_busy_pct', 90, 80, 22, 2, 34, 309, '2026-09-20 10:01+00', '2026-09-20 10:02+00',
        '2026-09-20 10:10+00', NULL),
       (1, 'earlier', 'x', 'insight', 'system', 'info', 'info', 'Earlier', 'Something earlier', '{}', NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, '2026-09-20 07:00+00', '2026-09-20 07:00+00', '2026-09-20 07:10+00', '2026-09-20 07:20+00'),
       (1, 'pending', 'x', 'alert', 'system', 'warn', 'warn', 'Pending', 'Not confirmed', '{}', NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, '2026-09-20 10:03+00', NULL, '2026-09-20 10:04+00', NULL);

INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, message_chars, fingerprint, line_id)
SELECT '2026-09-20 10:02+00'::timestamptz + i * interval '1 s', 1, 'nginx', i, CASE WHEN i < 30 THEN 'error' ELSE 'info' END, '',
       E'upstream <img onerror=x> \u202e| timed out \u001b[31m', 40, CASE WHEN i < 30 THEN 'f1' ELSE 'f2' END, i
FROM generate_series(0, 39) i;

INSERT INTO collector.change_markers (ts, host_id, kind, subject, action, before, after, source)
VALUES ('2026-09-20 09:59+00', 1, 'package', 'nginx', 'upgraded', '1.26.1', '1.26.2', 'dpkg');

-- What is usual of the processor at Sunday 10:00 (hour 154 of the week), in a zone at UTC.
INSERT INTO collector.trend_forecasts (host_id, domain, metric, metric_key, current_value, forecast_1h, forecast_6h, forecast_24h,
                                       hour_of_week, updated_at)
VALUES (1, 'system', 'cpu_busy_pct', '', 22, 22, 22, 22, 154, '2026-09-20 10:00+00');
INSERT INTO collector.baselines_hourly (host_id, domain, metric, metric_key, hour_of_week, mean, stddev, p50, p95, sample_count, updated_at)
VALUES (1, 'system', 'cpu_busy_pct', '', 154, 22, 2, 22, 26, 12, '2026-09-20 10:00+00');
INSERT INTO collector.baselines (host_id, domain, metric, metric_key, time_window, mean, stddev, p5, p25, p50, p75, p95, robust_spread,
                                 sample_count, since, updated_at)
VALUES (1, 'system', 'cpu_busy_pct', '', '7d', 21, 3, 17, 19, 21, 23, 27, 3, 168, '2026-09-13 10:00+00', '2026-09-20 10:00+00');
