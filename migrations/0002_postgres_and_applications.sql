-- PostgreSQL servers and applications: what is sampled of each every tick, of their tables, indexes
-- and statements every slow tick, and what could not be seen and why.
--
-- Why so: the name of the server in the configuration (instance) and of the database are part of
-- what tells series apart, not of the key of a table: as with all samples, (host_id, ts) finds them
-- and whole days of them expire. Statements are stored as amounts per interval, because an entry of
-- pg_stat_statements may vanish and return at any time.

CREATE TABLE collector.db_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    up boolean NOT NULL,
    duration_ms double precision NOT NULL,
    error text,
    version_num integer,
    in_recovery boolean,
    started_at timestamptz,
    epoch text NOT NULL,
    conn_total bigint,
    conn_active bigint,
    conn_idle bigint,
    conn_idle_in_xact bigint,
    conn_waiting bigint,
    conn_max bigint,
    conn_reserved bigint,
    conn_hidden bigint,
    slow_queries bigint,
    longest_query_secs double precision,
    oldest_xact_secs double precision,
    oldest_idle_in_xact_secs double precision,
    oldest_xmin_age bigint,
    wraparound_pct double precision,
    multixact_wraparound_pct double precision,
    prepared_xacts bigint,
    checkpoints_timed bigint,
    checkpoints_req bigint,
    checkpoint_write_ms_total double precision,
    checkpoint_sync_ms_total double precision,
    buffers_checkpoint bigint,
    buffers_clean bigint,
    maxwritten_clean bigint,
    buffers_backend bigint,
    buffers_backend_fsync bigint,
    buffers_alloc bigint,
    wal_records bigint,
    wal_fpi bigint,
    wal_bytes bigint,
    wal_buffers_full bigint,
    wal_write bigint,
    wal_sync bigint,
    wal_write_ms_total double precision,
    wal_sync_ms_total double precision,
    wait_activity bigint,
    wait_bufferpin bigint,
    wait_client bigint,
    wait_extension bigint,
    wait_io bigint,
    wait_ipc bigint,
    wait_lock bigint,
    wait_lwlock bigint,
    wait_timeout bigint,
    wait_none bigint,
    lock_access_share bigint,
    lock_row_share bigint,
    lock_row_exclusive bigint,
    lock_share_update_exclusive bigint,
    lock_share bigint,
    lock_share_row_exclusive bigint,
    lock_exclusive bigint,
    lock_access_exclusive bigint,
    locks_waiting bigint,
    longest_lock_wait_secs double precision,
    archived_total bigint,
    archive_failed_total bigint,
    archive_failing boolean,
    replay_backlog_bytes bigint,
    replay_delay_secs double precision,
    replay_paused boolean,
    receiver_status text
) PARTITION BY RANGE (ts);
CREATE INDEX db_metrics_raw_ts ON collector.db_metrics_raw (host_id, ts);

CREATE TABLE collector.database_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    epoch text NOT NULL,
    numbackends bigint,
    xact_commit bigint,
    xact_rollback bigint,
    blks_read bigint,
    blks_hit bigint,
    tup_returned bigint,
    tup_fetched bigint,
    tup_inserted bigint,
    tup_updated bigint,
    tup_deleted bigint,
    conflicts bigint,
    temp_files bigint,
    temp_bytes bigint,
    deadlocks bigint,
    checksum_failures bigint,
    blk_read_ms_total double precision,
    blk_write_ms_total double precision,
    active_ms_total double precision,
    idle_in_xact_ms_total double precision,
    sessions bigint,
    sessions_abandoned bigint,
    sessions_fatal bigint,
    sessions_killed bigint,
    size_bytes bigint,
    xid_age bigint,
    mxid_age bigint
) PARTITION BY RANGE (ts);
CREATE INDEX database_metrics_raw_ts ON collector.database_metrics_raw (host_id, ts);

CREATE TABLE collector.session_samples_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    pid integer NOT NULL,
    database text NOT NULL,
    role text NOT NULL,
    application text NOT NULL,
    state text NOT NULL,
    wait text NOT NULL,
    query_secs double precision,
    xact_secs double precision,
    root_pid integer,
    blocked_by integer,
    depth integer NOT NULL,
    victims bigint NOT NULL,
    query text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX session_samples_raw_ts ON collector.session_samples_raw (host_id, ts);

CREATE TABLE collector.db_blind_spots_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    family text NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    remedy text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX db_blind_spots_raw_ts ON collector.db_blind_spots_raw (host_id, ts);

CREATE TABLE collector.table_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    epoch text NOT NULL,
    total_bytes bigint,
    index_bytes bigint,
    toast_bytes bigint,
    n_live_tup bigint,
    n_dead_tup bigint,
    vacuum_threshold double precision,
    autovacuum_enabled boolean,
    n_mod_since_analyze bigint,
    n_ins_since_vacuum bigint,
    xid_age bigint,
    seq_scan bigint,
    seq_tup_read bigint,
    idx_scan bigint,
    idx_tup_fetch bigint,
    n_tup_ins bigint,
    n_tup_upd bigint,
    n_tup_del bigint,
    n_tup_hot_upd bigint,
    heap_blks_read bigint,
    heap_blks_hit bigint,
    idx_blks_read bigint,
    idx_blks_hit bigint,
    vacuum_count bigint,
    autovacuum_count bigint,
    autoanalyze_count bigint,
    last_vacuum timestamptz,
    last_autovacuum timestamptz,
    last_analyze timestamptz,
    last_autoanalyze timestamptz,
    last_seq_scan timestamptz,
    last_idx_scan timestamptz
) PARTITION BY RANGE (ts);
CREATE INDEX table_metrics_raw_ts ON collector.table_metrics_raw (host_id, ts);

CREATE TABLE collector.index_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    epoch text NOT NULL,
    size_bytes bigint,
    idx_scan bigint,
    idx_tup_read bigint,
    idx_tup_fetch bigint,
    idx_blks_read bigint,
    idx_blks_hit bigint,
    counted_since timestamptz,
    last_idx_scan timestamptz,
    is_unique boolean NOT NULL,
    is_needed boolean NOT NULL,
    is_valid boolean NOT NULL,
    definition text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX index_metrics_raw_ts ON collector.index_metrics_raw (host_id, ts);

CREATE TABLE collector.replication_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    slot_name text NOT NULL,
    application_name text NOT NULL,
    slot_type text NOT NULL,
    database text NOT NULL,
    active boolean NOT NULL,
    client_addr text NOT NULL,
    state text NOT NULL,
    sync_state text NOT NULL,
    wal_status text NOT NULL,
    retained_bytes bigint,
    safe_wal_bytes bigint,
    unconfirmed_bytes bigint,
    sent_lag_bytes bigint,
    write_lag_bytes bigint,
    flush_lag_bytes bigint,
    replay_lag_bytes bigint,
    write_lag_ms double precision,
    flush_lag_ms double precision,
    replay_lag_ms double precision,
    reply_age_secs double precision,
    sent_lsn text,
    write_lsn text,
    flush_lsn text,
    replay_lsn text,
    xmin_age bigint,
    catalog_xmin_age bigint,
    invalidation_reason text,
    inactive_since timestamptz,
    epoch text NOT NULL,
    spill_bytes bigint,
    total_bytes bigint
) PARTITION BY RANGE (ts);
CREATE INDEX replication_metrics_raw_ts ON collector.replication_metrics_raw (host_id, ts);

CREATE TABLE collector.subscription_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    subscription text NOT NULL,
    epoch text NOT NULL,
    enabled boolean NOT NULL,
    running boolean NOT NULL,
    last_msg_age_secs double precision,
    tables_not_ready bigint,
    apply_errors bigint,
    sync_errors bigint,
    conflicts bigint
) PARTITION BY RANGE (ts);
CREATE INDEX subscription_metrics_raw_ts ON collector.subscription_metrics_raw (host_id, ts);

CREATE TABLE collector.statement_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    role text NOT NULL,
    queryid bigint NOT NULL,
    major integer NOT NULL,
    toplevel boolean NOT NULL,
    interval_secs double precision NOT NULL,
    evicted boolean NOT NULL,
    calls bigint NOT NULL,
    rows bigint NOT NULL,
    exec_ms double precision NOT NULL,
    max_exec_ms double precision NOT NULL,
    stddev_exec_ms double precision NOT NULL,
    plan_ms double precision,
    shared_blks_hit bigint NOT NULL,
    shared_blks_read bigint NOT NULL,
    shared_blks_dirtied bigint NOT NULL,
    shared_blks_written bigint NOT NULL,
    temp_blks_read bigint NOT NULL,
    temp_blks_written bigint NOT NULL,
    blk_read_ms double precision,
    blk_write_ms double precision,
    wal_records bigint NOT NULL,
    wal_bytes bigint NOT NULL,
    jit_ms double precision NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX statement_metrics_raw_ts ON collector.statement_metrics_raw (host_id, ts);

CREATE TABLE collector.statement_texts (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    queryid bigint NOT NULL,
    major integer NOT NULL,
    query text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX statement_texts_ts ON collector.statement_texts (host_id, ts);

CREATE TABLE collector.statement_store_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    epoch text NOT NULL,
    entries bigint NOT NULL,
    max_entries bigint NOT NULL,
    dealloc bigint NOT NULL,
    extension text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX statement_store_raw_ts ON collector.statement_store_raw (host_id, ts);

CREATE TABLE collector.io_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    backend_type text NOT NULL,
    object text NOT NULL,
    context text NOT NULL,
    epoch text NOT NULL,
    reads bigint,
    read_bytes bigint,
    read_ms_total double precision,
    writes bigint,
    write_bytes bigint,
    write_ms_total double precision,
    extends bigint,
    extend_bytes bigint,
    hits bigint,
    evictions bigint,
    reuses bigint,
    fsyncs bigint,
    fsync_ms_total double precision
) PARTITION BY RANGE (ts);
CREATE INDEX io_metrics_raw_ts ON collector.io_metrics_raw (host_id, ts);

CREATE TABLE collector.slru_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    slru text NOT NULL,
    epoch text NOT NULL,
    blks_hit bigint NOT NULL,
    blks_read bigint NOT NULL,
    blks_written bigint NOT NULL,
    blks_zeroed bigint NOT NULL,
    flushes bigint NOT NULL,
    truncates bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX slru_metrics_raw_ts ON collector.slru_metrics_raw (host_id, ts);

CREATE TABLE collector.db_check_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    check_name text NOT NULL,
    object text NOT NULL,
    value double precision,
    detail jsonb NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX db_check_raw_ts ON collector.db_check_raw (host_id, ts);

CREATE TABLE collector.target_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    kind text NOT NULL,
    up boolean NOT NULL,
    duration_ms double precision NOT NULL,
    http_status integer,
    bytes bigint,
    bad_values bigint NOT NULL,
    error text
) PARTITION BY RANGE (ts);
CREATE INDEX target_metrics_raw_ts ON collector.target_metrics_raw (host_id, ts);

CREATE TABLE collector.api_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    uptime_secs double precision,
    total_requests bigint,
    successful_requests bigint,
    failed_requests bigint,
    waf_blocked_requests bigint,
    rps double precision,
    error_rate_pct double precision,
    avg_ms double precision,
    p50_ms double precision,
    p95_ms double precision,
    p99_ms double precision,
    active_connections bigint,
    active_sessions bigint,
    cpu_pct double precision,
    memory_bytes bigint,
    throughput_bytes_per_sec double precision,
    db_connections bigint,
    db_response_ms double precision,
    cache_hit_ratio double precision,
    cache_hits bigint,
    cache_misses bigint
) PARTITION BY RANGE (ts);
CREATE INDEX api_metrics_raw_ts ON collector.api_metrics_raw (host_id, ts);

CREATE TABLE collector.proxy_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    uptime_secs double precision,
    request_total bigint,
    request_success bigint,
    request_client_errors bigint,
    request_server_errors bigint,
    waf_blocked_requests bigint,
    requests_in_progress bigint,
    bytes_received bigint,
    bytes_sent bigint,
    latency_p50_ms double precision,
    latency_p95_ms double precision,
    latency_p99_ms double precision,
    upstream_avg_ms double precision,
    upstream_p95_ms double precision,
    conn_total bigint,
    conn_active bigint,
    conn_http1 bigint,
    conn_http2 bigint,
    conn_http3 bigint,
    conn_webtransport bigint,
    tls_handshakes bigint,
    tls_pqc_handshakes bigint,
    tls_classical_handshakes bigint,
    handshake_failures bigint,
    pqc_enabled boolean,
    rl_requests_checked bigint,
    rl_requests_allowed bigint,
    rl_requests_limited bigint,
    rl_requests_blocked bigint,
    cpu_pct double precision,
    memory_bytes bigint
) PARTITION BY RANGE (ts);
CREATE INDEX proxy_metrics_raw_ts ON collector.proxy_metrics_raw (host_id, ts);

CREATE TABLE collector.endpoint_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    endpoint text NOT NULL,
    status integer NOT NULL,
    responses bigint NOT NULL,
    last_seen timestamptz
) PARTITION BY RANGE (ts);
CREATE INDEX endpoint_metrics_raw_ts ON collector.endpoint_metrics_raw (host_id, ts);

CREATE TABLE collector.request_failures_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    failed_at timestamptz NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    status integer NOT NULL,
    duration_ms double precision
) PARTITION BY RANGE (ts);
CREATE INDEX request_failures_raw_ts ON collector.request_failures_raw (host_id, ts);

CREATE TABLE collector.latency_buckets_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    target text NOT NULL,
    le_ms text NOT NULL,
    responses bigint NOT NULL,
    all_responses bigint
) PARTITION BY RANGE (ts);
CREATE INDEX latency_buckets_raw_ts ON collector.latency_buckets_raw (host_id, ts);

-- The text of a statement is asked for by its identifier.
CREATE INDEX statement_texts_queryid ON collector.statement_texts (host_id, instance, queryid);
