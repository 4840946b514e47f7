-- Two PostgreSQL servers and two targets, sampled for half an hour beside the host's ticks.
-- %START% is the first tick; ticks come every 10 s, slow ones with every thirtieth.
-- Server `store` is a primary with a blocked tree, a bloated table, an unused index, a lost slot and a
-- standby that lags; `replica` is a standby. Target `shop` is an API, `edge` a proxy.

INSERT INTO collector.db_metrics_raw (ts, host_id, instance, up, duration_ms, version_num, in_recovery, started_at, epoch,
    conn_total, conn_active, conn_idle, conn_idle_in_xact, conn_waiting, conn_max, conn_reserved, conn_hidden, slow_queries,
    longest_query_secs, oldest_xact_secs, oldest_idle_in_xact_secs, wraparound_pct, multixact_wraparound_pct,
    checkpoints_timed, checkpoints_req, buffers_backend_fsync, wal_bytes, wait_lock, wait_io, wait_none,
    lock_access_share, locks_waiting, longest_lock_wait_secs, archived_total, archive_failing,
    replay_backlog_bytes, replay_delay_secs, replay_paused, receiver_status)
SELECT %START% + i * interval '10 s', 1, n, true, 4, v, n = 'replica', %START% - interval '1 day', 'e1',
    40, 3, 30, 1, 0, 103, 3, 0, 0, 2, 4, 0, 10, 1,
    i / 30, 0, 0, i * 160000, 0, 1, 2, 12, 0, NULL, i, CASE WHEN n = 'store' THEN false END,
    CASE WHEN n = 'replica' THEN 4096 END, CASE WHEN n = 'replica' THEN 0.2 END,
    CASE WHEN n = 'replica' THEN false END, CASE WHEN n = 'replica' THEN 'streaming' END
FROM generate_series(0, 179) i, (VALUES ('store', 150020), ('replica', 170010)) s (n, v);

INSERT INTO collector.database_metrics_raw (ts, host_id, instance, database, epoch, numbackends, xact_commit, xact_rollback,
    blks_read, blks_hit, tup_returned, tup_fetched, tup_inserted, tup_updated, tup_deleted, temp_bytes, deadlocks,
    checksum_failures, active_ms_total, sessions_abandoned, sessions_fatal, sessions_killed, size_bytes, xid_age)
SELECT %START% + i * interval '10 s', 1, n, d, 'e1', 5, i * 500, i * 5, i * 20, i * 4000, i * 100, i * 50, i * 10, i * 4, i,
    0, 0, 0, i * 2000, 0, 0, 0,
    CASE WHEN i % 30 = 0 THEN 1000000000 + i * 1000 END, CASE WHEN i % 30 = 0 THEN 5000000 END
FROM generate_series(0, 179) i, (VALUES ('store', 'app'), ('store', 'other'), ('replica', 'app')) s (n, d);

INSERT INTO collector.session_samples_raw (ts, host_id, instance, pid, database, role, application, state, wait, query_secs,
    xact_secs, root_pid, blocked_by, depth, victims, query)
SELECT %START% + 179 * interval '10 s', 1, 'store', p, 'app', 'web', 'shop', st, w, q, x, r, b, d, v, 'UPDATE orders SET note = $1'
FROM (VALUES
    (501, 'idle in transaction', '', 70.0, 90.0, NULL, NULL, 0, 2),
    (502, 'active', 'Lock:transactionid', 40.0, 41.0, 501, 501, 1, 1),
    (503, 'active', 'Lock:tuple', 12.0, 12.0, 501, 502, 2, 0),
    (504, 'active', '', 7.5, 7.5, NULL::int, NULL::int, 0, 0)) s (p, st, w, q, x, r, b, d, v);

INSERT INTO collector.db_blind_spots_raw (ts, host_id, instance, database, family, state, message, remedy)
SELECT %START% + i * interval '10 s', 1, 'replica', '', 'statements', 'missing',
    'pg_stat_statements is not installed.', 'CREATE EXTENSION pg_stat_statements;'
FROM generate_series(0, 179) i;

INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch, total_bytes, index_bytes,
    toast_bytes, n_live_tup, n_dead_tup, vacuum_threshold, autovacuum_enabled, xid_age, seq_scan, seq_tup_read, idx_scan,
    n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit,
    last_vacuum, last_autovacuum, last_analyze)
SELECT %START% + i * interval '10 s', 1, 'store', 'app', 'public', t, 'e1', b, b / 4, 0, l, d, 50 + l * 0.2, o, 4000000,
    i * 3, i * 300, i * 90, i * 30, i * 10, i, i * 9, i * 10, i * 990, i, i * 99,
    CASE WHEN t = 'orders' THEN %START% - interval '1 day' END, NULL, NULL
FROM generate_series(0, 150, 30) i,
    (VALUES ('orders', 800000000, 90000, 10000, true), ('Log lines', 400000000, 60000, 40000, true),
            ('tiny', 16384, 40, 39, true), ('queue', 65536, 5000, 100, false)) s (t, b, l, d, o);

INSERT INTO collector.index_metrics_raw (ts, host_id, instance, database, schema_name, table_name, index_name, epoch, size_bytes,
    idx_scan, idx_tup_read, counted_since, last_idx_scan, is_unique, is_needed, is_valid, definition)
SELECT %START% + i * interval '10 s', 1, 'store', 'app', 'public', 'orders', x, 'e1', b, CASE WHEN used THEN i * 60 ELSE 0 END, 0,
    %START% - interval '30 days', NULL, needed, needed, valid, 'CREATE INDEX ' || x || ' ON public.orders (id)'
FROM generate_series(0, 150, 30) i,
    (VALUES ('orders_pkey', 50000000, true, true, true), ('orders_note', 30000000, false, false, true),
            ('orders_half', 10000000, false, false, false)) s (x, b, used, needed, valid);

-- The unused one has been watched for three weeks, the invalid one for an hour.
INSERT INTO collector.index_sightings (ts, host_id, instance, database, schema_name, index_name, relation)
SELECT %START% - a, 1, 'store', 'app', 'public', x, r
FROM (VALUES ('orders_note', 17001, interval '21 days'), ('orders_half', 17002, interval '1 hour')) s (x, r, a);

INSERT INTO collector.replication_metrics_raw (ts, host_id, instance, slot_name, application_name, slot_type, database, active,
    client_addr, state, sync_state, wal_status, retained_bytes, sent_lag_bytes, replay_lag_bytes, write_lag_ms, flush_lag_ms,
    replay_lag_ms, reply_age_secs, sent_lsn, replay_lsn, epoch)
SELECT %START% + i * interval '10 s', 1, 'store', 'standby_1', 'replica', 'physical', '', true, '10.0.0.2', 'streaming', 'async',
    'reserved', 16777216, 0, 8192, 1, 2, 40, 1, '0/5000000', '0/4FFE000', 'e1'
FROM generate_series(0, 179) i;

INSERT INTO collector.subscription_metrics_raw (ts, host_id, instance, database, subscription, epoch, enabled, running,
    last_msg_age_secs, tables_not_ready, apply_errors, sync_errors)
SELECT %START% + i * interval '10 s', 1, 'replica', 'app', 'sub_orders', 'e1', true, true, 3, 0, 0, 0
FROM generate_series(0, 150, 30) i;

INSERT INTO collector.statement_metrics_raw (ts, host_id, instance, database, role, queryid, major, toplevel, interval_secs, evicted,
    calls, rows, exec_ms, max_exec_ms, stddev_exec_ms, shared_blks_hit, shared_blks_read, shared_blks_dirtied,
    shared_blks_written, temp_blks_read, temp_blks_written, wal_records, wal_bytes, jit_ms)
SELECT %START% + i * interval '10 s', 1, 'store', 'app', r, q, 15, true, 300, false, c, c * 2, e, m, 1, 900, 100, 0, 0, 0, t, 10, 4096, 0
FROM generate_series(30, 150, 30) i,
    (VALUES ('web', 11, 3000, 6000.0, 80.0, 0), ('batch', 11, 1000, 4000.0, 90.0, 0),
            ('batch', -12, 2, 1500.0, 900.0, 1200)) s (r, q, c, e, m, t)
WHERE q <> -12 OR i = 150;

INSERT INTO collector.statement_texts (ts, host_id, instance, queryid, major, query)
VALUES (%START% - interval '10 min', 1, 'store', 11, 15, 'SELECT * FROM orders WHERE id = $1'),
       (%START% + 150 * interval '10 s', 1, 'store', -12, 15, 'SELECT note, count(*) FROM orders GROUP BY note -- ' || repeat('long ', 200));

INSERT INTO collector.statement_store_raw (ts, host_id, instance, epoch, entries, max_entries, dealloc, extension)
SELECT %START% + i * interval '10 s', 1, 'store', 'e1', 800, 5000, 0, '1.10' FROM generate_series(0, 150, 30) i;

INSERT INTO collector.io_metrics_raw (ts, host_id, instance, backend_type, object, context, epoch, reads, read_bytes, read_ms_total,
    writes, write_bytes, hits, evictions, fsyncs)
SELECT %START% + i * interval '10 s', 1, 'replica', 'client backend', 'relation', c, CASE WHEN i < 90 THEN 'e1' ELSE 'e2' END,
    i * 10, i * 81920, NULL, i, i * 8192, i * 990, i, 0
FROM generate_series(0, 150, 30) i, unnest(ARRAY['normal', 'bulkread']) c;

INSERT INTO collector.db_check_raw (ts, host_id, instance, database, check_name, object, value, detail)
SELECT %START% + i * interval '10 s', 1, 'store', d, c, o, v, j::jsonb
FROM generate_series(0, 150, 30) i,
    (VALUES ('', 'settings', 'fsync', NULL, '{"setting": "on", "unit": "", "source": "default", "pending_restart": false}'),
            ('', 'settings', 'track_io_timing', NULL, '{"setting": "off", "unit": "", "source": "default", "pending_restart": false}'),
            ('', 'settings', 'shared_buffers', NULL, '{"setting": "16384", "unit": "8kB", "source": "configuration file", "pending_restart": true}'),
            ('app', 'sequences', 'public.orders_id_seq', 80.5, '{"last_value": 1728000000, "owned_by": "public.orders.id"}'),
            ('app', 'duplicate_indexes', 'public.orders_note', 30000000, '{"covered_by": "orders_note_2", "kind": "prefix"}')
    ) s (d, c, o, v, j);

INSERT INTO collector.target_metrics_raw (ts, host_id, target, kind, up, duration_ms, http_status, bytes, bad_values, mapped, unfilled)
SELECT %START% + i * interval '10 s', 1, t, k, true, 2, 200, 900, 0, CASE WHEN k = 'proxy' THEN 10 END,
    CASE WHEN k = 'proxy' THEN 1 END
FROM generate_series(0, 179) i, (VALUES ('shop', 'api'), ('edge', 'proxy')) s (t, k);

INSERT INTO collector.api_metrics_raw (ts, host_id, target, uptime_secs, total_requests, successful_requests, failed_requests,
    waf_blocked_requests, p50_ms, p95_ms, p99_ms, active_connections, db_response_ms, cache_hit_ratio, cache_hits, cache_misses)
SELECT %START% + i * interval '10 s', 1, 'shop', i * 10, i * 1000, i * 945, i * 55, i * 50, 20, 90, 150, 12, 3, 99.9, i * 9, i
FROM generate_series(0, 179) i;

INSERT INTO collector.proxy_metrics_raw (ts, host_id, target, uptime_secs, request_total, request_success, request_client_errors,
    request_server_errors, waf_blocked_requests, requests_in_progress, latency_p95_ms, conn_total, conn_active, conn_http1,
    conn_http2, conn_http3, conn_webtransport, tls_handshakes, tls_pqc_handshakes, tls_classical_handshakes,
    handshake_failures, pqc_enabled, rl_requests_checked, rl_requests_limited, rl_requests_blocked)
SELECT %START% + i * interval '10 s', 1, 'edge', i * 10, i * 1000, i * 900, i * 80, i * 10, i * 10, 4, 110, i * 10, 33,
    i, i * 6, i * 3, 0, i * 10, i * 7, i * 3, 0, true, i * 1000, i * 5, i
FROM generate_series(0, 179) i;

INSERT INTO collector.endpoint_metrics_raw (ts, host_id, target, endpoint, status, responses)
SELECT %START% + i * interval '10 s', 1, 'shop', e, s, i * n
FROM generate_series(0, 179) i, (VALUES ('/orders', 200, 90), ('/orders', 500, 2), ('/login', 401, 3), ('/login', 418, 1)) v (e, s, n);
-- Comes up only now: all of it happened since.
INSERT INTO collector.endpoint_metrics_raw (ts, host_id, target, endpoint, status, responses)
SELECT %START% + i * interval '10 s', 1, 'shop', '/orders', 503, 7 FROM generate_series(170, 179) i;

INSERT INTO collector.request_failures_raw (ts, host_id, target, failed_at, method, path, status, duration_ms)
SELECT %START% + 179 * interval '10 s', 1, 'shop', %START% + (179 - f) * interval '10 s', 'GET', '/orders', s, 12.5
FROM (VALUES (1, 500), (2, 503), (3, 401)) v (f, s);

-- 80 of 100 answers within 25 ms, 95 within 250; the histogram of `edge` has no bucket of all.
INSERT INTO collector.latency_buckets_raw (ts, host_id, target, le_ms, responses, all_responses)
SELECT %START% + i * interval '10 s', 1, t, le, i * n, i * a
FROM generate_series(0, 179) i, (VALUES ('shop', '2.5', 10, 100), ('shop', '25', 80, 100), ('shop', '250', 95, 100),
    ('shop', '+Inf', 100, 100), ('shopping', '25', 1, 100), ('edge', '25', 50, NULL)) v (t, le, n, a);
