//! Which rules show trouble of which part.

use super::Part;

/// The rules of each part, and its name in a sentence. A metric stands for its threshold and for what is unusual of it.
pub(super) const PARTS: &[(Part, &str, &[&str])] = &[
    (
        Part::Stall,
        "everything that runs on the host",
        &["collector_stalled"],
    ),
    (
        Part::Traffic,
        "the number of requests",
        &[
            "api.requests_per_sec",
            "api.waf_blocked_per_sec",
            "database.xact_commit_per_sec",
            "db.xact_commit_per_sec",
            "proxy.rl_blocked_per_sec",
            "proxy.rl_limited_per_sec",
            "proxy.requests_per_sec",
            "proxy.connections_per_sec",
            "proxy.waf_blocked_per_sec",
            "system.net_rx_bytes_per_sec",
            "system.net_tx_bytes_per_sec",
        ],
    ),
    (
        Part::BusyProcess,
        "the CPU time of processes",
        &[
            "api.cpu_pct",
            "process_cpu",
            "process.cpu_pct",
            "process_threads",
        ],
    ),
    (
        Part::Cpu,
        "the CPU",
        &[
            "system.cpu_busy_pct",
            "system.cpu_steal_pct",
            "system.pressure_cpu_some_pct",
            "system.ctxt_per_sec",
            "system.forks_per_sec",
        ],
    ),
    (
        Part::LargeProcess,
        "the memory of processes",
        &[
            "api.memory_bytes",
            "process_memory",
            "process.rss_bytes",
            "proxy.memory_bytes",
        ],
    ),
    (
        Part::Memory,
        "memory",
        &[
            "system.mem_used_pct",
            "system.swap_used_pct",
            "system.pressure_memory_some_pct",
            "system.pressure_memory_full_pct",
        ],
    ),
    (
        Part::OutOfMemory,
        "processes that are killed",
        &["system.oom_kills_per_sec"],
    ),
    (
        Part::DiskSpace,
        "free space",
        &["mount.used_pct", "mount.inodes_used_pct"],
    ),
    (
        Part::ReadOnly,
        "writes to a file system",
        &["mount_read_only"],
    ),
    (
        Part::Disk,
        "the disks",
        &[
            "disk.busy_pct",
            "disk.queue_depth",
            "disk.read_bytes_per_sec",
            "disk.write_bytes_per_sec",
            "io_pressure",
            "system.cpu_iowait_pct",
            "system.pressure_io_full_pct",
            "system.pressure_io_some_pct",
            "system.procs_blocked",
        ],
    ),
    // Linux counts what waits for a disk, too: it tells that something waits, never why.
    (Part::Load, "the load", &["system.load_per_core"]),
    (
        Part::Files,
        "open files",
        &["system.open_files_pct", "process_files", "process.fd_count"],
    ),
    (
        Part::Network,
        "the network",
        &[
            "network.drops_per_sec",
            "network.errors_per_sec",
            "system.conntrack_used_pct",
            "system.listen_overflows_per_sec",
            "system.tcp_retrans_per_sec",
        ],
    ),
    (
        Part::ProcessGone,
        "processes that are expected",
        &["process_missing"],
    ),
    (Part::ServerDown, "whether PostgreSQL answers", &["db.up"]),
    (
        Part::LongTransactions,
        "long transactions",
        &[
            "db.conn_idle_in_xact",
            "db.oldest_idle_in_xact_secs",
            "db.oldest_xact_secs",
        ],
    ),
    (
        Part::Locks,
        "waiting for locks",
        &[
            "db.conn_waiting",
            "db.deadlocks_per_sec",
            "db.longest_lock_wait_secs",
            "db.wait_lock",
        ],
    ),
    (
        Part::Vacuum,
        "dead rows",
        &["table.dead_pct", "vacuum_overdue", "check.autovacuum_queue"],
    ),
    (
        Part::Writing,
        "checkpoints and the amount of WAL",
        &[
            "check.checkpoint_pressure",
            "db.buffers_backend_per_sec",
            "db.checkpoints_req_pct",
            "db.checkpoints_req_per_hour",
            "db.tup_written_per_sec",
            "db.wal_bytes_per_sec",
        ],
    ),
    (
        Part::CommitTime,
        "the time to write WAL and checkpoints",
        &[
            "db.backend_fsyncs_per_sec",
            "db.checkpoint_write_pct",
            "db.wal_sync_ms",
            "db.wal_write_ms",
        ],
    ),
    (
        Part::Archiving,
        "the WAL archive",
        &["check.archive_pending", "db.archive_failing"],
    ),
    (
        Part::DatabaseReads,
        "reads and writes of PostgreSQL",
        &[
            "database.blks_read_per_sec",
            "database.cache_hit_pct",
            "db.cache_hit_pct",
            "db.temp_bytes_per_sec",
            "db.wait_io",
            "io.evictions_per_sec",
            "io.read_ms",
            "io.write_ms",
        ],
    ),
    (
        Part::ReplicationLag,
        "replication lag",
        &[
            "replication.receiver_down",
            "replication.replay_lag_ms",
            "replication.reply_age_secs",
            "replication.slot_inactive",
            "replication.standby_delay_secs",
        ],
    ),
    (
        Part::RetainedWal,
        "retained WAL",
        &["replication.retained_bytes", "replication.slot_lost"],
    ),
    (
        Part::Connections,
        "connections to PostgreSQL",
        &[
            "check.connection_saturation",
            "connection_leak",
            "database.sessions_lost_per_sec",
            "db.conn_total",
            "db.conn_used_pct",
        ],
    ),
    (
        Part::Queries,
        "queries",
        &[
            "api.db_response_ms",
            "db.answer_ms",
            "db.conn_active",
            "db.longest_query_secs",
            "db.slow_queries",
            "db.wait_lwlock",
        ],
    ),
    (
        Part::TargetDown,
        "whether applications answer",
        &["target.up"],
    ),
    (
        Part::ApiSlow,
        "response times of the API",
        &[
            "api.active_connections",
            "api.p95_ms",
            "api.p99_ms",
            "target.answer_ms",
        ],
    ),
    (
        Part::ApiErrors,
        "errors of the API",
        &[
            "api.error_pct",
            "database.rollback_pct",
            "db.xact_rollback_per_sec",
        ],
    ),
    (
        Part::ProxySlow,
        "response times of the proxy",
        &[
            "proxy.conn_active",
            "proxy.latency_p50_ms",
            "proxy.latency_p95_ms",
            "proxy.requests_in_progress",
            "proxy.upstream_p95_ms",
        ],
    ),
    (
        Part::ProxyErrors,
        "errors of the proxy",
        &["proxy.client_errors_per_sec", "proxy.error_pct"],
    ),
    (
        Part::Objectives,
        "service level objectives",
        &["slo_burn", "slo_event", "slo_absent", "slo_trickle"],
    ),
    (
        Part::Delivery,
        "the delivery of samples",
        &[
            "collector.db_healthy",
            "collector.pending_records",
            "collector.spool_used_pct",
            "collector.tick_late_ms",
            "collector.tick_ms",
        ],
    ),
    (
        Part::Lines,
        "lines of logs",
        &[
            "log.error_per_sec",
            "log.lines_per_sec",
            "log.warn_per_sec",
            "log_error_spike",
            "log_new_pattern",
            "log_rare_pattern",
        ],
    ),
];
