-- PostgreSQL servers and applications of the made-up hosts.
--
-- A host of kind 'steady' watches one healthy server, one API and one proxy. A host of kind 'broken'
-- watches four servers (main: blocked sessions, dead rows, an unused index, a standby far behind and a
-- lost slot; partner: a role that sees half; reports: down; spare: healthy) and an API and a proxy
-- with errors. Counters grow by a fixed amount per second; what is sampled seldom is written once per
-- five minutes, at the first sample of each.
-- The functions read a temporary table of instants that is there when they run.
SET check_function_bodies = off;
SET client_min_messages = warning;

CREATE TABLE e2e.server (kind text, instance text, changes jsonb NOT NULL);
INSERT INTO e2e.server VALUES
    ('steady', 'main', '{}'),
    ('broken', 'main', '{"conn_total": 96, "conn_active": 31, "conn_idle": 52, "conn_idle_in_xact": 7, "conn_waiting": 6,
        "slow_queries": 8, "longest_query_secs": 412, "oldest_xact_secs": 4200, "oldest_idle_in_xact_secs": 1900,
        "oldest_xmin_age": 6200000, "wait_io": 5, "wait_lock": 6, "wait_lwlock": 2, "wait_none": 14, "wait_client": 3,
        "lock_access_exclusive": 2, "lock_row_exclusive": 44, "locks_waiting": 6, "longest_lock_wait_secs": 95,
        "prepared_xacts": 1, "archive_failing": true}'),
    ('broken', 'partner', '{"conn_hidden": 9, "conn_total": 3, "conn_active": 1, "conn_idle": 2, "wal_write_ms_total": null,
        "wal_sync_ms_total": null, "version_num": 150020}'),
    ('broken', 'reports', '{"up": false, "error": "cannot connect to reports.internal:5432: connection refused"}'),
    ('broken', 'spare', '{"in_recovery": true, "replay_backlog_bytes": 4096, "replay_delay_secs": 0.4, "replay_paused": false,
        "receiver_status": "streaming", "version_num": 180004}');

CREATE FUNCTION e2e.put_servers(of_host integer, of_kind text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO collector.db_metrics_raw SELECT r.* FROM at_instant a, e2e.server v, jsonb_populate_record(
        NULL::collector.db_metrics_raw,
        jsonb_build_object('ts', a.ts, 'host_id', of_host, 'instance', v.instance, 'up', true, 'duration_ms', 9 + a.wave, 'epoch', 'e1')
        || CASE WHEN v.changes ? 'error' THEN '{}' ELSE jsonb_build_object(
            'version_num', 170010, 'in_recovery', false, 'started_at', now() - interval '20 days',
            'conn_total', 14, 'conn_active', 3, 'conn_idle', 10, 'conn_idle_in_xact', 1, 'conn_waiting', 0, 'conn_max', 100,
            'conn_reserved', 3, 'conn_hidden', 0, 'slow_queries', 0, 'longest_query_secs', 0.2 + a.wave / 10, 'oldest_xact_secs', 0.5,
            'oldest_idle_in_xact_secs', 0, 'oldest_xmin_age', 120, 'wraparound_pct', 4.1, 'multixact_wraparound_pct', 0.2,
            'prepared_xacts', 0, 'checkpoints_timed', a.s / 300, 'checkpoints_req', a.s / 3600,
            'checkpoint_write_ms_total', a.s * 30, 'checkpoint_sync_ms_total', a.s * 0.5, 'buffers_checkpoint', a.s * 12,
            'buffers_clean', a.s * 3, 'maxwritten_clean', 0, 'buffers_backend', a.s * 2, 'buffers_backend_fsync', 0,
            'buffers_alloc', a.s * 40)
        || jsonb_build_object(
            'wal_records', a.s * 900, 'wal_fpi', a.s * 4, 'wal_bytes', a.s * 262144, 'wal_buffers_full', 0, 'wal_write', a.s * 20,
            'wal_sync', a.s * 18, 'wal_write_ms_total', a.s * 3, 'wal_sync_ms_total', a.s * 9,
            'wait_activity', 0, 'wait_bufferpin', 0, 'wait_client', 0, 'wait_extension', 0, 'wait_io', round(1 + a.wave)::int,
            'wait_ipc', 0, 'wait_lock', 0, 'wait_lwlock', 0, 'wait_timeout', 0, 'wait_none', 2,
            'lock_access_share', 18 + round(3 * a.wave)::int, 'lock_row_share', 2, 'lock_row_exclusive', 9,
            'lock_share_update_exclusive', 1, 'lock_share', 0, 'lock_share_row_exclusive', 0, 'lock_exclusive', 0,
            'lock_access_exclusive', 0, 'locks_waiting', 0, 'longest_lock_wait_secs', 0,
            'archived_total', a.s / 60, 'archive_failed_total', 0, 'archive_failing', false) END
        || v.changes) r
    WHERE v.kind = of_kind;

    INSERT INTO collector.database_metrics_raw SELECT r.* FROM at_instant a, e2e.server v,
        (VALUES ('shop', 10), ('ledger', 1)) d (name, k), jsonb_populate_record(
        NULL::collector.database_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'instance', v.instance, 'database', d.name, 'epoch', 'e1', 'numbackends', d.k,
            'xact_commit', a.s * 20 * d.k, 'xact_rollback', a.s * d.k / 4, 'blks_read', a.s * d.k * 2,
            'blks_hit', a.s * d.k * 900, 'tup_returned', a.s * d.k * 5000, 'tup_fetched', a.s * d.k * 300,
            'tup_inserted', a.s * d.k * 6, 'tup_updated', a.s * d.k * 9, 'tup_deleted', a.s * d.k, 'conflicts', 0,
            'temp_files', 0, 'temp_bytes', 0, 'deadlocks', 0, 'checksum_failures', 0,
            'blk_read_ms_total', a.s * d.k, 'blk_write_ms_total', a.s / 10, 'active_ms_total', a.s * d.k * 70,
            'idle_in_xact_ms_total', a.s * 10, 'sessions', a.s / 20, 'sessions_abandoned', 0, 'sessions_fatal', 0, 'sessions_killed', 0)
        || CASE WHEN of_kind = 'broken' AND v.instance = 'main' AND d.name = 'shop'
            THEN jsonb_build_object('deadlocks', a.s / 45, 'temp_files', a.s / 4, 'temp_bytes', a.s * 3000000, 'blks_read', a.s * 2000,
                'xact_rollback', a.s * 40) ELSE '{}' END) r
    WHERE v.kind = of_kind AND NOT v.changes ? 'error';

    INSERT INTO collector.session_samples_raw
        SELECT a.ts, of_host, 'main', p.pid, 'shop', p.role, p.app, p.state, p.wait, p.query_secs, p.xact_secs, p.root, p.by, p.depth,
               p.victims, p.query
        FROM at_instant a, (VALUES
            (4100, 'shop_app', 'checkout', 'idle in transaction', 'Client:ClientRead', 1900, 1901, NULL, NULL, 0, 4,
                'UPDATE orders SET state = $1 WHERE id = $2'),
            (4101, 'shop_app', 'checkout', 'active', 'Lock:transactionid', 95, 96, 4100, 4100, 1, 2,
                'UPDATE orders SET paid_at = now() WHERE id = $1'),
            (4102, 'shop_app', 'worker', 'active', 'Lock:tuple', 80, 81, 4100, 4101, 2, 0, 'DELETE FROM orders WHERE id = $1'),
            (4103, 'shop_app', 'worker', 'active', 'Lock:tuple', 40, 41, 4100, 4101, 2, 0,
                'SELECT * FROM orders WHERE customer = $1 AND state IN ($2, $3, $4) ORDER BY created_at DESC LIMIT $5 FOR UPDATE'),
            (4104, 'admin', '<b>psql</b>', 'active', 'Lock:relation', 20, 20, 4100, 4100, 1, 0, 'ALTER TABLE orders ADD note text'),
            (4200, 'report', 'nightly', 'active', '', 412, 412, NULL, NULL, 0, 0,
                'SELECT customer, sum(total) FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY customer')
        ) p (pid, role, app, state, wait, query_secs, xact_secs, root, by, depth, victims, query)
        WHERE of_kind = 'broken';

    INSERT INTO collector.db_blind_spots_raw
        SELECT a.ts, of_host, b.* FROM at_instant a, (VALUES
            ('partner', '', 'connections', 'denied', 'The role watch may not see other sessions', 'GRANT pg_read_all_stats TO watch'),
            ('partner', 'shop', 'statements', 'missing', 'pg_stat_statements is not installed in shop', 'CREATE EXTENSION pg_stat_statements'),
            ('partner', '', 'io', 'off', 'Times of reads and writes are not measured', 'ALTER SYSTEM SET track_io_timing = on'),
            ('reports', '', 'server', 'unreachable', 'reports.internal:5432 refuses connections', '')
        ) b (instance, database, family, state, message, remedy)
        WHERE of_kind = 'broken';

    INSERT INTO collector.replication_metrics_raw SELECT r.* FROM at_instant a, (VALUES
            ('standby_a', 'walreceiver', '{"active": true, "client_addr": "10.0.0.12", "state": "streaming", "sync_state": "async"}'::jsonb),
            ('standby_b', 'walreceiver', '{"active": true, "client_addr": "10.0.0.13", "state": "catchup", "sync_state": "async",
                "write_lag_ms": 900, "flush_lag_ms": 1500, "replay_lag_ms": 45000, "replay_lag_bytes": 734003200,
                "flush_lag_bytes": 20971520, "write_lag_bytes": 10485760, "retained_bytes": 1073741824}'),
            ('old_feed', '', '{"active": false, "slot_type": "logical", "database": "shop", "wal_status": "lost", "retained_bytes": null,
                "safe_wal_bytes": null, "invalidation_reason": "wal_removed"}')
        ) s (slot, app, changes), jsonb_populate_record(NULL::collector.replication_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'instance', 'main', 'slot_name', s.slot, 'application_name', s.app,
            'slot_type', 'physical', 'database', '', 'active', true, 'client_addr', '', 'state', '', 'sync_state', '',
            'wal_status', 'reserved', 'retained_bytes', 33554432, 'safe_wal_bytes', 5368709120, 'epoch', 'e1')
        || CASE WHEN s.app = '' THEN '{}' ELSE jsonb_build_object(
            'sent_lag_bytes', 0, 'write_lag_bytes', 0, 'flush_lag_bytes', 0, 'replay_lag_bytes', 8192,
            'write_lag_ms', 2 + a.wave, 'flush_lag_ms', 4 + a.wave, 'replay_lag_ms', 9 + 3 * a.wave, 'reply_age_secs', 1,
            'sent_lsn', '1/5A000060', 'write_lsn', '1/5A000060', 'flush_lsn', '1/5A000060', 'replay_lsn', '1/59FF0000') END
        || s.changes) r
        WHERE of_kind = 'broken' OR s.slot = 'standby_a';
$$;

-- What is sampled once per five minutes; `slots` are the samples due.
CREATE FUNCTION e2e.put_relations(of_host integer, of_kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS slow_instant (ts timestamptz, s bigint, wave double precision);
    TRUNCATE slow_instant;
    INSERT INTO slow_instant SELECT DISTINCT ON (s / 300) ts, s, wave FROM at_instant a
        WHERE NOT EXISTS (SELECT FROM collector.io_metrics_raw i
                          WHERE i.host_id = of_host AND i.ts >= to_timestamp(a.s / 300 * 300) AND i.ts < to_timestamp(a.s / 300 * 300 + 300))
        ORDER BY s / 300, ts;
    UPDATE collector.database_metrics_raw d SET
        size_bytes = CASE database WHEN 'shop' THEN 64424509440 + i.s * 20 ELSE 1073741824 END, xid_age = 90000000, mxid_age = 4000
        FROM slow_instant i WHERE d.host_id = of_host AND d.ts = i.ts;

    INSERT INTO collector.table_metrics_raw SELECT r.* FROM slow_instant a, (VALUES
            ('public', 'orders', 24000000, '{"n_dead_tup": 9600000, "total_bytes": 21474836480, "last_autovacuum": null}'::jsonb),
            ('public', 'order_lines', 61000000, '{"n_dead_tup": 7100000}'),
            ('public', 'customers', 900000, '{}'),
            ('public', 'sessions', 40000, '{"n_dead_tup": 31000, "autovacuum_enabled": false}'),
            ('audit', '<i>events</i>', 5000000, '{}')
        ) t (schema, name, live, changes), jsonb_populate_record(NULL::collector.table_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'instance', 'main', 'database', 'shop', 'schema_name', t.schema, 'table_name', t.name,
            'epoch', 'e1', 'total_bytes', t.live * 300::bigint, 'index_bytes', t.live * 80::bigint, 'toast_bytes', 8192,
            'n_live_tup', t.live, 'n_dead_tup', t.live / 100, 'vacuum_threshold', 50 + t.live * 0.2, 'autovacuum_enabled', true,
            'n_mod_since_analyze', t.live / 200, 'n_ins_since_vacuum', 1000, 'xid_age', 40000000, 'seq_scan', a.s / 30,
            'seq_tup_read', a.s * 1000, 'idx_scan', a.s * 30, 'idx_tup_fetch', a.s * 90, 'n_tup_ins', a.s * 6, 'n_tup_upd', a.s * 9,
            'n_tup_del', a.s, 'n_tup_hot_upd', a.s * 5, 'heap_blks_read', a.s * 3, 'heap_blks_hit', a.s * 700, 'idx_blks_read', a.s,
            'idx_blks_hit', a.s * 900)
        || jsonb_build_object('vacuum_count', 0, 'autovacuum_count', a.s / 7200, 'autoanalyze_count', a.s / 3600,
            'last_vacuum', now() - interval '12 days', 'last_autovacuum', now() - interval '5 hours',
            'last_analyze', null, 'last_autoanalyze', now() - interval '2 hours',
            'last_seq_scan', now() - interval '1 hour', 'last_idx_scan', now() - interval '1 minute')
        || CASE WHEN of_kind = 'broken' THEN t.changes ELSE '{}' END) r;

    INSERT INTO collector.index_metrics_raw
        SELECT a.ts, of_host, 'main', 'shop', 'public', 'orders', x.name, 'e1', x.size, a.s * x.rate, a.s * x.rate * 2, a.s * x.rate,
               a.s / 10, a.s * x.rate * 4, now() - interval '90 days', CASE WHEN x.rate > 0 THEN now() END, x.uniq, x.uniq, x.valid, x.def
        FROM slow_instant a, (VALUES
            ('orders_pkey', 540000000::bigint, 40, true, true, 'CREATE UNIQUE INDEX orders_pkey ON public.orders USING btree (id)'),
            ('orders_customer_idx', 610000000, 12, false, true, 'CREATE INDEX orders_customer_idx ON public.orders USING btree (customer)'),
            ('orders_note_idx', 1900000000, 0, false, true, 'CREATE INDEX orders_note_idx ON public.orders USING gin (to_tsvector(''english''::regconfig, note))'),
            ('orders_new_idx', 8192, 0, false, false, 'CREATE INDEX orders_new_idx ON public.orders USING btree (created_at)')
        ) x (name, size, rate, uniq, valid, def)
        WHERE of_kind = 'broken' OR x.rate > 0;

    INSERT INTO collector.statement_metrics_raw SELECT r.* FROM slow_instant a, (VALUES
            (101, 12000, 24000, '{}'::jsonb), (102, 300, 372000, '{"max_exec_ms": 8200, "temp_blks_written": 64000, "temp_blks_read": 64000}'),
            (103, 90000, 18000, '{}'), (104, 40, 24400, '{"max_exec_ms": 2600}'), (105, 5, 2, '{}')
        ) q (id, calls, ms, changes), jsonb_populate_record(NULL::collector.statement_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'instance', 'main', 'database', 'shop', 'role', 'shop_app', 'queryid', 7000000000000000000 + q.id,
            'major', 17, 'toplevel', true, 'interval_secs', 300, 'evicted', false, 'calls', q.calls, 'rows', q.calls * 3,
            'exec_ms', q.ms * (1 + a.wave / 5), 'max_exec_ms', 90, 'stddev_exec_ms', 4, 'plan_ms', null,
            'shared_blks_hit', q.calls * 40, 'shared_blks_read', q.calls / 10, 'shared_blks_dirtied', q.calls / 20,
            'shared_blks_written', 0, 'temp_blks_read', 0, 'temp_blks_written', 0, 'blk_read_ms', q.ms / 8, 'blk_write_ms', 0,
            'wal_records', q.calls / 2, 'wal_bytes', q.calls * 90, 'jit_ms', 0)
        || CASE WHEN of_kind = 'broken' THEN q.changes ELSE '{}' END) r
        WHERE of_kind = 'broken' OR q.id <> 102 AND q.id <> 104;
    INSERT INTO collector.statement_texts SELECT a.ts, of_host, 'main', 7000000000000000000 + q.id, 17, q.text
        FROM (SELECT min(ts) AS ts FROM slow_instant) a, (VALUES
            (101, 'SELECT * FROM customers WHERE id = $1'),
            (102, E'SELECT o.customer, sum(l.amount) AS total\nFROM orders o\nJOIN order_lines l ON l.order_id = o.id\nWHERE o.created_at > now() - $1::interval\nGROUP BY o.customer\nORDER BY total DESC\nLIMIT $2'),
            (103, 'UPDATE sessions SET seen_at = now() WHERE token = $1'),
            (104, 'SELECT count(*) FROM orders WHERE note ILIKE $1'),
            (105, 'SELECT ''<img src=x onerror="window.hacked=1">''')
        ) q (id, text)
        WHERE a.ts IS NOT NULL AND NOT EXISTS (SELECT FROM collector.statement_texts t WHERE t.host_id = of_host);
    INSERT INTO collector.statement_store_raw SELECT a.ts, of_host, 'main', 'e1', 3100, 5000, 0, '1.11' FROM slow_instant a;

    INSERT INTO collector.io_metrics_raw
        SELECT a.ts, of_host, 'main', b.backend, b.object, b.context, 'e1', a.s * b.k, a.s * b.k * 8192, a.s * b.k * 0.4, a.s * b.w,
               a.s * b.w * 8192, a.s * b.w * 0.2, a.s / 10, a.s / 10 * 8192, a.s * b.k * 90, a.s * b.k, 0, a.s / 60, a.s / 30
        FROM slow_instant a, (VALUES
            ('client backend', 'relation', 'normal', 20, 2), ('client backend', 'relation', 'bulkread', 45, 0),
            ('client backend', 'temp relation', 'normal', 1, 1), ('autovacuum worker', 'relation', 'vacuum', 9, 4),
            ('checkpointer', 'relation', 'normal', 0, 12), ('background writer', 'relation', 'normal', 0, 3),
            ('walsender', 'relation', 'normal', 1, 0)
        ) b (backend, object, context, k, w);

    INSERT INTO collector.subscription_metrics_raw
        SELECT a.ts, of_host, 'spare', 'shop', 'from_main', 'e1', true, true, 2, 0, 0, 0, 0 FROM slow_instant a WHERE of_kind = 'broken';
    INSERT INTO collector.db_check_raw SELECT a.ts, of_host, 'main', c.* FROM slow_instant a, (VALUES
            ('shop', 'duplicate_indexes', 'public.orders_customer_idx', 610000000::double precision, '{"duplicate_of": "public.orders_customer_old_idx"}'::jsonb),
            ('', 'settings', 'fsync', NULL, '{"setting": "off", "source": "configuration file", "why": "A crash can destroy data"}'),
            ('shop', 'sequences', 'public.orders_id_seq', 81.4, '{"last_value": 1748000000, "type": "integer"}')
        ) c (database, check_name, object, value, detail)
        WHERE of_kind = 'broken';
END $$;

CREATE FUNCTION e2e.put_applications(of_host integer, of_kind text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO collector.target_metrics_raw SELECT a.ts, of_host, t.*
        FROM at_instant a, (VALUES
            ('api', 'api', true, 4.0, 200, 5120, 0, NULL), ('proxy', 'proxy', true, 3.0, 200, 4096, 0, NULL),
            ('edge', 'proxy', false, 2000.0, NULL, NULL, 0, 'no answer from 127.0.0.1:9182 within 2 s')
        ) t (target, kind, up, ms, status, bytes, bad, error)
        WHERE of_kind = 'broken' OR t.target <> 'edge';

    INSERT INTO collector.api_metrics_raw SELECT r.* FROM at_instant a, jsonb_populate_record(
        NULL::collector.api_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'target', 'api', 'uptime_secs', 864000, 'total_requests', a.s * 50,
            'successful_requests', a.s * 49, 'failed_requests', a.s * 3 / 10, 'waf_blocked_requests', a.s / 10, 'rps', 50, 'error_rate_pct', 0.4,
            'avg_ms', 22 + a.wave, 'p50_ms', 14 + a.wave, 'p95_ms', 80 + 5 * a.wave, 'p99_ms', 150 + 9 * a.wave,
            'active_connections', 31, 'active_sessions', 12, 'cpu_pct', 18, 'memory_bytes', 314572800,
            'throughput_bytes_per_sec', 1048576, 'db_connections', 8, 'db_response_ms', 3, 'cache_hit_ratio', 99.6,
            'cache_hits', a.s * 30, 'cache_misses', a.s)
        || CASE WHEN of_kind = 'broken' THEN jsonb_build_object('failed_requests', a.s * 4, 'successful_requests', a.s * 45,
            'p50_ms', 90, 'p95_ms', 1240, 'p99_ms', 2600, 'db_response_ms', 130, 'cache_hit_ratio', 93.2) ELSE '{}' END) r;

    INSERT INTO collector.proxy_metrics_raw SELECT r.* FROM at_instant a, jsonb_populate_record(
        NULL::collector.proxy_metrics_raw, jsonb_build_object(
            'ts', a.ts, 'host_id', of_host, 'target', 'proxy', 'uptime_secs', 1728000, 'request_total', a.s * 60,
            'request_success', a.s * 58, 'request_client_errors', a.s * 2, 'request_server_errors', a.s / 60, 'waf_blocked_requests', a.s / 10,
            'requests_in_progress', 7, 'bytes_received', a.s * 40000, 'bytes_sent', a.s * 900000,
            'latency_p50_ms', 12, 'latency_p95_ms', 70, 'latency_p99_ms', 140, 'upstream_avg_ms', 20, 'upstream_p95_ms', 66,
            'conn_total', a.s * 5, 'conn_active', 44, 'conn_http1', a.s, 'conn_http2', a.s * 2, 'conn_http3', a.s * 2,
            'conn_webtransport', a.s / 20, 'tls_handshakes', a.s * 4, 'tls_pqc_handshakes', a.s * 3, 'tls_classical_handshakes', a.s,
            'handshake_failures', 0, 'pqc_enabled', true, 'rl_requests_checked', a.s * 60, 'rl_requests_allowed', a.s * 59,
            'rl_requests_limited', a.s, 'rl_requests_blocked', 0, 'cpu_pct', 9, 'memory_bytes', 104857600)
        || CASE WHEN of_kind = 'broken' THEN jsonb_build_object('request_server_errors', a.s * 4, 'request_success', a.s * 54,
            'rl_requests_blocked', a.s * 2, 'handshake_failures', a.s / 4, 'latency_p95_ms', 1300, 'latency_p99_ms', 2700) ELSE '{}' END) r;

    INSERT INTO collector.endpoint_metrics_raw
        SELECT a.ts, of_host, 'api', e.endpoint, e.status, a.s * e.k / 100, CASE WHEN e.status >= 400 THEN a.ts - interval '5 seconds' END
        FROM at_instant a, (VALUES
            ('/v1/orders', 200, 2100), ('/v1/orders', 404, 20), ('/v1/orders', 429, 60), ('/v1/orders', 503, 210),
            ('/v1/orders/{id}', 200, 900), ('/v1/orders/{id}', 404, 35), ('/v1/login', 401, 70), ('/v1/login', 200, 300),
            ('/v1/keys', 500, 9), ('/v1/keys', 200, 700), ('/<script>alert(1)</script>', 404, 2)
        ) e (endpoint, status, k)
        WHERE of_kind = 'broken' OR e.status < 500 AND e.status <> 429;

    INSERT INTO collector.request_failures_raw
        SELECT a.ts, of_host, 'api', a.ts - interval '3 seconds', f.method, f.path, f.status, f.ms
        FROM at_instant a, (VALUES
            ('POST', '/v1/orders', 503, 5003.0), ('POST', '/v1/login', 401, 4.1), ('GET', '/v1/orders/{id}', 404, 2.2)
        ) f (method, path, status, ms)
        WHERE of_kind = 'broken' AND a.s % 3 = 0;
    INSERT INTO collector.latency_buckets_raw SELECT a.ts, of_host, 'api', b.le, a.s * b.k, a.s * 50
        FROM at_instant a, (VALUES ('50', 30), ('100', 42), ('250', 46), ('500', 47), ('1000', 48), ('+Inf', 50)) b (le, k);
$$;

CREATE FUNCTION e2e.put_services(of_host integer, of_kind text) RETURNS void LANGUAGE sql AS $$
    SELECT e2e.put_servers(of_host, of_kind);
    SELECT e2e.put_relations(of_host, of_kind);
    SELECT e2e.put_applications(of_host, of_kind);
$$;

SELECT e2e.add_host('steady', true), e2e.add_host('broken', true);
UPDATE e2e.host SET services = hostname FROM collector.hosts h WHERE h.host_id = host.host_id AND hostname IN ('steady', 'broken');
SELECT e2e.fill(host_id, interval '1 hour') FROM e2e.host WHERE services IS NOT NULL;

-- What is wrong with main and reports, and what went by.
SELECT e2e.find(host_id, f.rule, f.target, f.severity, f.words, f.change)
FROM collector.hosts, (VALUES
    ('db.longest_lock_wait_secs', 'main', 'critical', 'PID 4100 (checkout, user shop_app) blocks 4 sessions for 95 s',
        '{"value": 95, "threshold": 60, "action_sql": "SELECT pg_terminate_backend(4100);"}'::jsonb),
    ('db.conn_waiting', 'main', 'critical', '6 sessions are waiting for a lock on main',
        '{"value": 6, "threshold": 5, "cause_rule": "db.longest_lock_wait_secs", "cause_target": "main"}'),
    ('db.slow_queries', 'main', 'critical', '8 statements run for longer than 5 s on main',
        '{"value": 8, "threshold": 5, "cause_rule": "db.longest_lock_wait_secs", "cause_target": "main"}'),
    ('replication.replay_lag_ms', 'main.standby_b', 'critical', 'Standby main.standby_b replays 45 s late', '{"value": 45000, "threshold": 30000}'),
    ('db.up', 'reports', 'critical', 'PostgreSQL reports does not answer',
        '{"value": 0, "threshold": 0, "details": {"cause": "cannot connect to reports.internal:5432: connection refused"}}'),
    ('table.dead_pct', 'main.shop.public.sessions', 'warn', '43.7 % of the rows of main.shop.public.sessions are dead',
        '{"value": 43.7, "threshold": 20}'),
    ('api.error_pct', 'api', 'critical', '8.2 % of the requests to api fail', '{"value": 8.2, "threshold": 5}'),
    ('api.p95_ms', 'api', 'critical', 'p95 latency of api is high: 1.2 s', '{"value": 1240, "threshold": 1000}'),
    ('api.db_response_ms', 'api', 'critical', 'Database response time of api is high: 130 ms', '{"value": 130, "threshold": 100}'),
    ('api.db_cache_hit_pct', 'api', 'critical', 'Database cache hit ratio of api is low: 93.2 %', '{"value": 93.2, "threshold": 95}'),
    ('db.oldest_xact_secs', 'main', 'warn', 'A transaction on main has been open for 12 min',
        jsonb_build_object('value', 720, 'opened_at', now() - interval '3 hours', 'resolved_at', now() - interval '2 hours')),
    ('api.error_pct', 'api', 'warn', 'API errors of api are high: 6 %',
        jsonb_build_object('value', 6, 'worst', 'critical', 'opened_at', now() - interval '5 hours', 'resolved_at', now() - interval '4 hours'))
) f (rule, target, severity, words, change)
WHERE hostname = 'broken';
