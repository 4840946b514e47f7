-- Made-up hosts for the tests, beside the real one.
--
-- A host is a row of e2e.host: what differs from a healthy machine stands in jsonb columns, which are
-- laid over the defaults below. e2e.fill writes its samples over a span; e2e.tick writes one sample of
-- every living host now. Counters grow by a fixed amount per second, so their rates are known.
SET client_min_messages = warning;
CREATE SCHEMA e2e;

CREATE TABLE e2e.host (
    host_id   integer PRIMARY KEY,
    is_alive  boolean NOT NULL,
    system    jsonb NOT NULL DEFAULT '{}',
    mount     jsonb NOT NULL DEFAULT '{}',
    agent     jsonb NOT NULL DEFAULT '{}',
    -- A list of processes, each what differs from the default one.
    processes jsonb NOT NULL DEFAULT '[{}]',
    -- What of services.sql the host watches: steady, broken or nothing.
    services  text
);

-- A name may be taken: a test that is run again makes its host again.
CREATE FUNCTION e2e.add_host(name text, is_alive boolean, secs integer DEFAULT 10) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    id integer;
BEGIN
    INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores, memory_bytes, boot_ts)
        VALUES ('e2e ' || gen_random_uuid(), name, 'Linux 6.1.0', 'Debian GNU/Linux 12', 4, 17179869184, now() - interval '30 days')
        RETURNING host_id INTO id;
    INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
        VALUES (id, gen_random_uuid(), gen_random_uuid(), 700, '0.1.0', now() - interval '9 days',
                jsonb_build_object('intervals.system_secs', jsonb_build_array(secs::text, 'file'),
                                   'database.password', jsonb_build_array('***', 'env')));
    INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) VALUES (id, gen_random_uuid(), 1, '{}');
    INSERT INTO e2e.host (host_id, is_alive) VALUES (id, is_alive);
    RETURN id;
END $$;

-- One sample of a host at each instant.
CREATE FUNCTION e2e.put(of_host integer, instants timestamptz[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    h e2e.host;
BEGIN
    SELECT * INTO h FROM e2e.host WHERE host_id = of_host;
    CREATE TEMP TABLE IF NOT EXISTS at_instant (ts timestamptz, s bigint, wave double precision);
    TRUNCATE at_instant;
    INSERT INTO at_instant
        SELECT t, extract(epoch FROM t)::bigint, sin(extract(epoch FROM t) / 300) FROM unnest(instants) t;

    INSERT INTO collector.system_metrics_raw SELECT r.* FROM at_instant a, jsonb_populate_record(
        NULL::collector.system_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'cpu_user', 12 + 4 * a.wave, 'cpu_nice', 0, 'cpu_system', 5 + a.wave,
            'cpu_idle', 82 - 5 * a.wave, 'cpu_iowait', 1, 'cpu_irq', 0, 'cpu_softirq', 0, 'cpu_steal', 0, 'cpu_guest', 0,
            'cpu_cores', jsonb_build_array(
                jsonb_build_object('core', 0, 'idle', 80, 'user', 15, 'other', 0, 'iowait', 0, 'system', 5),
                jsonb_build_object('core', 1, 'idle', 84, 'user', 12, 'other', 0, 'iowait', 0, 'system', 4)),
            'cpu_count', 4, 'mem_total', 17179869184, 'mem_used', 6871947673, 'mem_available', 10307921511,
            'mem_free', 4294967296, 'mem_buffers', 268435456, 'mem_cached', 5368709120, 'mem_dirty', 1048576,
            'swap_total', 2147483648, 'swap_used', 0, 'load_1', 1.2 + a.wave / 3, 'load_5', 1.1, 'load_15', 1,
            'net_rx', a.s * 2000, 'net_tx', a.s * 1000, 'ctxt_total', a.s * 3000) || jsonb_build_object(
            'forks_total', a.s * 4, 'procs_running', 2, 'procs_blocked', 0, 'oom_kills_total', 0,
            'swap_in_total', 0, 'swap_out_total', 0, 'major_faults_total', 0,
            'open_files', 2000, 'open_files_max', 100000, 'tcp_out_segs_total', a.s * 100, 'tcp_retrans_total', a.s / 10,
            'tcp_established', 30, 'listen_overflows_total', 0, 'listen_drops_total', 0,
            'conntrack_used', 100, 'conntrack_max', 262144,
            'pressure_cpu_some_us_total', a.s * 20000, 'pressure_memory_some_us_total', 0, 'pressure_memory_full_us_total', 0,
            'pressure_io_some_us_total', a.s * 5000, 'pressure_io_full_us_total', a.s * 1000,
            'uptime_secs', 2592000, 'boot_id', 'b', 'clock_synced', true) || h.system) r;

    INSERT INTO collector.mount_metrics_raw SELECT r.* FROM at_instant a, unnest(ARRAY['/', '/var']) m, jsonb_populate_record(
        NULL::collector.mount_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'mount', m, 'device', '/dev/sda1', 'fs_type', 'ext4',
            'total_bytes', 107374182400, 'available_bytes', 64424509440, 'usage_pct', 40,
            'inodes_total', 6553600, 'inodes_free', 6000000, 'read_only', false)
        || CASE WHEN m = '/var' THEN h.mount ELSE '{}' END) r;

    INSERT INTO collector.network_metrics_raw SELECT a.ts, of_host, n, a.s * k, a.s * k / 2, a.s * 10, a.s * 5, 0, 0, 0, 0
        FROM at_instant a, (VALUES ('eth0', 2000), ('lo', 100)) i (n, k);

    INSERT INTO collector.disk_metrics_raw
        SELECT a.ts, of_host, 'sda', a.s * 10, a.s * 40960, a.s * 5, a.s * 20, a.s * 81920, a.s * 10, 0, a.s * 50, a.s * 100
        FROM at_instant a;

    INSERT INTO collector.process_metrics_raw SELECT r.* FROM at_instant a,
        jsonb_array_elements(h.processes) WITH ORDINALITY p (p, i), jsonb_populate_record(
        NULL::collector.process_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'process_name', 'worker-' || i, 'pid', 1000 + i, 'start_ticks', 5000 + i,
            'cpu_pct', 2, 'rss_bytes', 20971520, 'vsz_bytes', 104857600, 'fd_count', 12, 'fd_limit', 1024,
            'thread_count', 2, 'state', 'S', 'uptime_secs', 86400, 'read_bytes_total', a.s * 100,
            'write_bytes_total', a.s * 200, 'parent_pid', 1, 'unit', 'worker.service', 'uid', 1000, 'watched', false, 'process_count', 1) || p) r;

    INSERT INTO collector.collector_self_metrics SELECT r.* FROM at_instant a, jsonb_populate_record(
        NULL::collector.collector_self_metrics, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'pid', 700, 'uptime_secs', 86400, 'version', '0.1.0', 'buffer_depths', '{}'::jsonb,
            'buffer_total', 0, 'pending_records', 0, 'disk_queue_bytes', 3145728, 'disk_queue_max_bytes', 104857600,
            'flush_count', a.s / 10, 'spill_count', 0, 'total_rows_written', a.s * 8, 'lost_records_total', 0,
            'dead_letters_total', 0, 'db_healthy', true, 'db_state', 'connected', 'tick_duration_ms', 12 + a.wave,
            'tick_late_ms', 1, 'cpu_pct', 0.2, 'rss_bytes', 13631488, 'vsz_bytes', 155799552, 'fd_count', 20,
            'thread_count', 2, 'state', 'S', 'spool_state', 'ok') || h.agent) r;

    INSERT INTO collector.collector_runs_raw SELECT a.ts, of_host, c, 'ok', 1.5, 3, NULL
        FROM at_instant a, unnest(ARRAY['host', 'processes', 'mounts']) c;
    INSERT INTO collector.heartbeat SELECT a.ts, of_host, 'collector', 'ok' FROM at_instant a;
    IF h.services IS NOT NULL THEN
        PERFORM e2e.put_services(of_host, h.services);
    END IF;
END $$;

-- An open, confirmed alert, as a collector finds it; a rule with a dot is the threshold of that metric. `change` replaces
-- what else it has.
CREATE FUNCTION e2e.find(of_host integer, of_rule text, of_target text, of_severity text, words text, change jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, metric, metric_key,
                                    command, action_sql, value, current_value, threshold, expected, z_score, drift_pct, details, cause_rule, cause_target,
                                    opened_at, confirmed_at, seen_at, resolved_at)
    SELECT host_id, rule, target, kind, domain, severity, worst, title, message, steps, metric, metric_key,
           command, action_sql, value, current_value, threshold, expected, z_score, drift_pct, details, cause_rule, cause_target,
           opened_at, confirmed_at, seen_at, resolved_at
    FROM jsonb_populate_record(NULL::collector.findings, jsonb_build_object(
        'host_id', of_host, 'rule', of_rule, 'target', of_target, 'kind', 'alert', 'domain', split_part(of_rule, '.', 1),
        'severity', of_severity, 'worst', of_severity, 'title', words, 'message', words,
        'steps', jsonb_build_array('See what it does, and whether it can wait or needs a limit:'),
        'metric', CASE WHEN of_rule LIKE '%.%' THEN of_rule END,
        'metric_key', CASE WHEN of_rule LIKE '%.%' THEN nullif(of_target, '') END,
        'opened_at', now() - interval '19 minutes', 'confirmed_at', now() - interval '18 minutes', 'seen_at', now()) || change)
$$;

CREATE FUNCTION e2e.fill(of_host integer, back interval, step interval DEFAULT '10 seconds') RETURNS void LANGUAGE sql AS $$
    SELECT e2e.put(of_host, ARRAY(SELECT generate_series(now() - back, now(), step)))
$$;

CREATE FUNCTION e2e.tick() RETURNS void LANGUAGE sql AS $$
    SELECT e2e.put(host_id, ARRAY[clock_timestamp()]) FROM e2e.host WHERE is_alive
$$;

SELECT collector.ensure_partition(p.relname, d.day)
FROM pg_class p,
     (SELECT NULL::date AS day UNION ALL
      SELECT day::date FROM generate_series(now() - interval '9 days', now() + interval '1 day', interval '1 day') day) d
WHERE p.relnamespace = 'collector'::regnamespace AND p.relkind = 'p';

-- The hosts that several tests look at; ids are looked up by name.
SELECT e2e.add_host('calm', true), e2e.add_host('sick', true), e2e.add_host('crowd', true),
       e2e.add_host('spiky', false, 60), e2e.add_host('ragged', false), e2e.add_host('hostile', true),
       e2e.add_host('silent', false);

-- Memory beyond its critical, a disk beyond its warning, the CPU beyond its critical level.
UPDATE e2e.host SET
    system = '{"mem_used": 15805479649, "mem_available": 1374389535, "cpu_user": 85, "cpu_system": 10, "cpu_idle": 4}',
    mount = '{"usage_pct": 81.5, "available_bytes": 19864223744}'
WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'sick');

SELECT e2e.find(host_id, 'system.mem_used_pct', '', 'critical', 'Memory usage is high: 92 %', '{"value": 92, "threshold": 85,
           "details": {"cause": "Most memory: worker-1 (PID 1001, worker.service) with 20 MiB."},
           "command": "ps -o pid,user,etime,%cpu,rss,args -p 1001"}'),
       e2e.find(host_id, 'mount.used_pct', '/var', 'warn', 'File system /var is 81.5 % full', '{"value": 81.5, "threshold": 75}'),
       e2e.find(host_id, 'system.cpu_busy_pct', '', 'critical', 'CPU usage is high: 95.2 %; now 95 %', '{"value": 95.2,
           "current_value": 95, "threshold": 80}'),
       e2e.find(host_id, 'system.load_per_core', '', 'warn', 'Load is high: 2.1 per core', '{"value": 2.1, "threshold": 2,
           "cause_rule": "system.cpu_busy_pct", "cause_target": ""}')
FROM collector.hosts WHERE hostname = 'sick';

-- Eighty processes with every kind of issue.
UPDATE e2e.host SET processes = (SELECT jsonb_agg(jsonb_build_object(
        'process_name', 'task-' || lpad(i::text, 2, '0'),
        'cpu_pct', i, 'rss_bytes', (80 - i) * 10485760::bigint,
        'state', CASE WHEN i = 7 THEN 'T' ELSE 'S' END)) FROM generate_series(1, 80) i)
WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'crowd');

SELECT e2e.find(host_id, 'process_cpu', 'task-' || i || ' ' || 1000 + i, 'warn', 'task-' || i || ' uses ' || i || ' % of a core',
                '{"domain": "process"}')
FROM collector.hosts, generate_series(76, 80) i WHERE hostname = 'crowd';

UPDATE e2e.host SET processes = jsonb_build_array(
        jsonb_build_object('process_name', '<img src=x onerror="window.hacked=1">', 'unit', '<script>window.hacked=1</script>'),
        jsonb_build_object('process_name', '=HYPERLINK("http://evil.invalid","x")'),
        jsonb_build_object('process_name', '+1+cmd|calc', 'unit', '@SUM(A1)'),
        jsonb_build_object('process_name', '-2+3'),
        jsonb_build_object('process_name', E'\u202Egnp.exe \u2066quote" comma,'),
        jsonb_build_object('process_name', 'long-' || repeat('x', 100000)))
WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'hostile');

SELECT e2e.fill(host_id, CASE hostname WHEN 'calm' THEN interval '2 hours' WHEN 'sick' THEN interval '20 minutes'
                                       ELSE interval '3 minutes' END)
FROM collector.hosts WHERE hostname IN ('calm', 'sick', 'crowd', 'hostile') ORDER BY hostname;
SELECT e2e.put(host_id, ARRAY(SELECT generate_series(now() - interval '40 minutes', now() - interval '10 minutes', '10 seconds')))
FROM collector.hosts WHERE hostname = 'silent';

-- A week of samples a minute apart, one of them high: three days ago.
SELECT e2e.fill(host_id, interval '7 days', '60 seconds') FROM collector.hosts WHERE hostname = 'spiky';
UPDATE collector.system_metrics_raw SET load_1 = 77
WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'spiky')
  AND ts = (SELECT max(ts) FROM collector.system_metrics_raw
            WHERE host_id = (SELECT host_id FROM collector.hosts WHERE hostname = 'spiky') AND ts < now() - interval '3 days');

-- An hour from a full minute on: a hole from minute 20 to 30, counters that begin again at minute 40,
-- and every sample of the last ten minutes late or early by up to 4 s.
SELECT e2e.put(h.host_id, ARRAY(
    SELECT t + CASE WHEN t >= b + interval '50 minutes' THEN ((extract(epoch FROM t)::bigint / 10) % 5) * interval '1 second' ELSE interval '0' END
    FROM generate_series(b, b + interval '1 hour', '10 seconds') t
    WHERE t < b + interval '20 minutes' OR t >= b + interval '30 minutes'))
FROM collector.hosts h, LATERAL (SELECT date_trunc('minute', now() - interval '2 hours') AS b) start WHERE hostname = 'ragged';
UPDATE collector.network_metrics_raw n SET
    rx_bytes_total = rx_bytes_total - 2000 * extract(epoch FROM b + interval '40 minutes')::bigint
FROM (SELECT host_id, date_trunc('minute', now() - interval '2 hours') AS b FROM collector.hosts WHERE hostname = 'ragged') r
WHERE n.host_id = r.host_id AND n.interface = 'eth0' AND n.ts >= b + interval '40 minutes';
