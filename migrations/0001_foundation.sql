-- Foundation: hosts, the agents that write for them, samples of host, processes and the collector
-- itself, and what is kept beside them: progress of each spool, gaps, rows set aside.
--
-- Why so: every key starts with or contains host_id, so one database serves many hosts and can be
-- distributed by it; samples are partitioned by day, so that they expire by DROP and never by
-- DELETE; an ascending (host_id, ts) index serves both orders at half the size of a descending one.

CREATE TABLE collector.hosts (
    host_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_id   text NOT NULL UNIQUE CHECK (machine_id <> ''),
    hostname     text NOT NULL,
    kernel       text NOT NULL DEFAULT '',
    os           text NOT NULL DEFAULT '',
    cores        integer,
    memory_bytes bigint,
    boot_id      text,
    boot_ts      timestamptz,
    first_seen   timestamptz NOT NULL DEFAULT now(),
    last_seen    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE collector.hosts IS 'One row per machine, keyed by its machine id; host_id is never updated.';

CREATE TABLE collector.agent_runs (
    host_id    integer NOT NULL REFERENCES collector.hosts,
    run_id     uuid NOT NULL,
    writer     uuid NOT NULL,
    pid        integer NOT NULL,
    version    text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    -- NULL while it runs; then 'stopped' or 'vanished' (found dead by its successor).
    outcome    text CHECK (outcome IN ('stopped', 'vanished')),
    -- {"intervals.system_secs": ["10", "default"]}, secrets masked.
    settings   jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (host_id, run_id)
);
CREATE INDEX agent_runs_started ON collector.agent_runs (host_id, started_at);
COMMENT ON TABLE collector.agent_runs IS 'One row per start of a collector.';

CREATE TABLE collector.spool_watermark (
    host_id     integer NOT NULL REFERENCES collector.hosts,
    writer      uuid NOT NULL,
    -- Compare-and-set: every delivering transaction moves it from the value it read to the next.
    seq         bigint NOT NULL,
    -- Per class which records are delivered, and which tables still owe some of them.
    progress    jsonb NOT NULL,
    -- Newest sample delivered.
    last_ts     timestamptz,
    -- Grows whenever rows arrive that are older than what was delivered before.
    history_gen bigint NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host_id, writer)
);
COMMENT ON TABLE collector.spool_watermark IS 'How far the spool of each agent is delivered; updated in the same transaction as its rows.';

CREATE TABLE collector.dead_letter (
    ts         timestamptz NOT NULL,
    host_id    integer NOT NULL,
    table_name text NOT NULL,
    -- The row as JSON, for reading; the tuple as it was sent, for repair.
    row        text NOT NULL,
    tuple      bytea NOT NULL,
    columns    text[] NOT NULL,
    sqlstate   text NOT NULL,
    error      text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_noticed ON collector.dead_letter (host_id, noticed_at);
COMMENT ON TABLE collector.dead_letter IS 'Rows whose content the database refused.';

CREATE TABLE collector.system_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    cpu_user double precision,
    cpu_nice double precision,
    cpu_system double precision,
    cpu_idle double precision,
    cpu_iowait double precision,
    cpu_irq double precision,
    cpu_softirq double precision,
    cpu_steal double precision,
    cpu_guest double precision,
    cpu_cores jsonb,
    cpu_count integer,
    mem_total bigint,
    mem_used bigint,
    mem_available bigint,
    mem_free bigint,
    mem_buffers bigint,
    mem_cached bigint,
    mem_dirty bigint,
    swap_total bigint,
    swap_used bigint,
    load_1 double precision,
    load_5 double precision,
    load_15 double precision,
    net_rx bigint,
    net_tx bigint,
    ctxt_total bigint,
    forks_total bigint,
    procs_running bigint,
    procs_blocked bigint,
    oom_kills_total bigint,
    swap_in_total bigint,
    swap_out_total bigint,
    major_faults_total bigint,
    open_files bigint,
    open_files_max bigint,
    tcp_out_segs_total bigint,
    tcp_retrans_total bigint,
    tcp_established bigint,
    listen_overflows_total bigint,
    listen_drops_total bigint,
    conntrack_used bigint,
    conntrack_max bigint,
    pressure_cpu_some_us_total bigint,
    pressure_memory_some_us_total bigint,
    pressure_memory_full_us_total bigint,
    pressure_io_some_us_total bigint,
    pressure_io_full_us_total bigint,
    uptime_secs double precision,
    boot_id text,
    clock_synced boolean
) PARTITION BY RANGE (ts);
CREATE INDEX system_metrics_raw_ts ON collector.system_metrics_raw (host_id, ts);

CREATE TABLE collector.mount_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    mount text NOT NULL,
    device text NOT NULL,
    fs_type text NOT NULL,
    total_bytes bigint,
    available_bytes bigint,
    usage_pct double precision,
    inodes_total bigint,
    inodes_free bigint,
    read_only boolean NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX mount_metrics_raw_ts ON collector.mount_metrics_raw (host_id, ts);

CREATE TABLE collector.network_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    interface text NOT NULL,
    rx_bytes_total bigint NOT NULL,
    tx_bytes_total bigint NOT NULL,
    rx_packets_total bigint NOT NULL,
    tx_packets_total bigint NOT NULL,
    rx_errors_total bigint NOT NULL,
    tx_errors_total bigint NOT NULL,
    rx_drops_total bigint NOT NULL,
    tx_drops_total bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX network_metrics_raw_ts ON collector.network_metrics_raw (host_id, ts);

CREATE TABLE collector.disk_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    device text NOT NULL,
    reads_total bigint NOT NULL,
    read_bytes_total bigint NOT NULL,
    read_ms_total bigint NOT NULL,
    writes_total bigint NOT NULL,
    write_bytes_total bigint NOT NULL,
    write_ms_total bigint NOT NULL,
    in_flight bigint NOT NULL,
    busy_ms_total bigint NOT NULL,
    queue_ms_total bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX disk_metrics_raw_ts ON collector.disk_metrics_raw (host_id, ts);

CREATE TABLE collector.process_metrics_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    process_name text NOT NULL,
    pid integer NOT NULL,
    start_ticks bigint NOT NULL,
    cpu_pct double precision,
    rss_bytes bigint NOT NULL,
    vsz_bytes bigint NOT NULL,
    fd_count bigint,
    fd_limit bigint,
    thread_count integer NOT NULL,
    state text NOT NULL,
    uptime_secs double precision NOT NULL,
    read_bytes_total bigint,
    write_bytes_total bigint,
    parent_pid integer NOT NULL,
    unit text,
    uid bigint,
    watched boolean NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX process_metrics_raw_ts ON collector.process_metrics_raw (host_id, ts);
-- History of one process or one name over days without reading everyone else's rows.
CREATE INDEX process_metrics_raw_pid_ts ON collector.process_metrics_raw (host_id, pid, ts);

CREATE TABLE collector.heartbeat (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    component text NOT NULL,
    status text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX heartbeat_ts ON collector.heartbeat (host_id, ts);

CREATE TABLE collector.collector_self_metrics (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    pid integer NOT NULL,
    uptime_secs double precision NOT NULL,
    version text NOT NULL,
    buffer_depths jsonb NOT NULL,
    buffer_total bigint NOT NULL,
    pending_records bigint NOT NULL,
    disk_queue_bytes bigint NOT NULL,
    disk_queue_max_bytes bigint NOT NULL,
    flush_count bigint NOT NULL,
    spill_count bigint NOT NULL,
    total_rows_written bigint NOT NULL,
    lost_records_total bigint NOT NULL,
    dead_letters_total bigint NOT NULL,
    db_healthy boolean NOT NULL,
    db_state text NOT NULL,
    db_error text,
    tick_duration_ms double precision,
    tick_late_ms double precision NOT NULL,
    cpu_pct double precision,
    rss_bytes bigint,
    vsz_bytes bigint,
    fd_count bigint,
    thread_count bigint,
    state text,
    spool_state text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX collector_self_metrics_ts ON collector.collector_self_metrics (host_id, ts);

CREATE TABLE collector.collector_runs_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    collector text NOT NULL,
    outcome text NOT NULL,
    duration_ms double precision NOT NULL,
    rows bigint NOT NULL,
    error text
) PARTITION BY RANGE (ts);
CREATE INDEX collector_runs_raw_ts ON collector.collector_runs_raw (host_id, ts);

CREATE TABLE collector.data_gaps (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    class text NOT NULL,
    from_ts timestamptz NOT NULL,
    to_ts timestamptz NOT NULL,
    count bigint NOT NULL,
    rows bigint,
    reason text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX data_gaps_ts ON collector.data_gaps (host_id, ts);

-- Makes the daily partitions of every partitioned table of this schema from `first` to `last`
-- (both included), and a default partition so that a sample of any date finds a home. Runs with
-- the owner's rights: the writer may insert and nothing else. Returns how many were made.
CREATE FUNCTION collector.ensure_partitions(first date, last date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent record;
    day    date;
    child  text;
    made   integer := 0;
BEGIN
    IF last - first > 400 THEN
        RAISE EXCEPTION 'refusing to make % daily partitions at once', last - first;
    END IF;
    -- Two agents at once would trip over each other's names; the number is "pqcp" in ASCII.
    PERFORM pg_advisory_xact_lock(1886610288);
    FOR parent IN
        SELECT c.oid, c.relname FROM pg_class c
        WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'p'
    LOOP
        child := parent.relname || '_other';
        IF to_regclass('collector.' || quote_ident(child)) IS NULL THEN
            EXECUTE format('CREATE TABLE collector.%I PARTITION OF collector.%I DEFAULT', child, parent.relname);
            made := made + 1;
        END IF;
        FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
            child := parent.relname || '_' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN to_regclass('collector.' || quote_ident(child)) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE collector.%I PARTITION OF collector.%I FOR VALUES FROM (%L) TO (%L)',
                               child, parent.relname, day::timestamptz, (day + 1)::timestamptz);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                -- The default partition holds rows of that day already (a clock that was wrong):
                -- they stay there, and so will the rest of that day.
                NULL;
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Drops the daily partitions of one table that end before `day`, and empties its default partition
-- once all of that is older. Returns how many were dropped.
CREATE FUNCTION collector.drop_partitions(table_name text, day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    child   record;
    dropped integer := 0;
    stale   boolean;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = table_name
          AND c.relname ~ '_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < day
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE collector.%I', child.relname);
        dropped := dropped + 1;
    END LOOP;
    IF to_regclass(format('collector.%I', table_name || '_other')) IS NOT NULL THEN
        EXECUTE format('SELECT count(*) > 0 AND max(ts) < %L FROM collector.%I', day::timestamptz, table_name || '_other')
            INTO stale;
        IF stale THEN
            EXECUTE format('TRUNCATE collector.%I', table_name || '_other');
        END IF;
    END IF;
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION collector.ensure_partitions(date, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.drop_partitions(text, date) FROM PUBLIC;
