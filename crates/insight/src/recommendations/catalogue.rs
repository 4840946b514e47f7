//! Every recommendation: its category, what it is about, its title, and the rules whose findings it follows from.

/// A recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Part of the system, in the words of the reference: `vacuum`, `system`, `index`, …
    pub category: &'static str,
    /// What it is about. `{key}` is the target of the finding, `{process}` the same without a process id, `{source}` the log
    /// that the finding names, `{rule}` its rule.
    pub target: &'static str,
    /// What to do, without figures, so that it is the same at any time.
    pub title: &'static str,
    /// Rules whose findings it follows from.
    pub rules: &'static [&'static str],
}

const fn one(
    category: &'static str,
    target: &'static str,
    title: &'static str,
    rules: &'static [&'static str],
) -> Recommendation {
    Recommendation {
        category,
        target,
        title,
        rules,
    }
}

/// Every recommendation. Those of the reference come first, in its order.
pub const RECOMMENDATIONS: &[Recommendation] = &[
    one(
        "vacuum",
        "{key}",
        "Vacuum a table with many dead rows",
        &["table.dead_pct", "vacuum_overdue", "check.autovacuum_queue"],
    ),
    one(
        "system",
        "cpu",
        "Reduce the load on the CPU",
        &["system.cpu_busy_pct", "system.pressure_cpu_some_pct"],
    ),
    one(
        "system",
        "memory",
        "Free memory",
        &[
            "system.mem_used_pct",
            "system.oom_kills_per_sec",
            "system.pressure_memory_full_pct",
        ],
    ),
    one(
        "system",
        "load",
        "Reduce the number of waiting threads",
        &["system.load_per_core"],
    ),
    one(
        "system",
        "disk:{key}",
        "Free space on a file system",
        &["mount.used_pct", "mount.inodes_used_pct"],
    ),
    one(
        "system",
        "swap",
        "Reduce the use of swap",
        &["system.swap_used_pct"],
    ),
    one(
        "api",
        "db_response_time:{key}",
        "Make the database of the API answer faster",
        &["api.db_response_ms"],
    ),
    one(
        "api",
        "latency:{key}",
        "Make the API answer faster",
        &["api.p95_ms"],
    ),
    one(
        "api",
        "errors:{key}",
        "Look into failures of the API",
        &["api.error_pct"],
    ),
    one(
        "api",
        "connections:{key}",
        "See whether connections of the API are leaked",
        &["api.active_connections"],
    ),
    one(
        "api",
        "p99_latency:{key}",
        "Look into the slowest responses of the API",
        &["api.p99_ms"],
    ),
    one(
        "proxy",
        "latency:{key}",
        "Make the proxy answer faster",
        &["proxy.latency_p95_ms"],
    ),
    one(
        "proxy",
        "errors:{key}",
        "Look into server errors of the proxy",
        &["proxy.error_pct"],
    ),
    one(
        "proxy",
        "concurrency:{key}",
        "Look into requests that pile up at the proxy",
        &["proxy.requests_in_progress"],
    ),
    one(
        "proxy",
        "tls:{key}",
        "Look into failing TLS handshakes",
        &["proxy.handshake_failure_pct"],
    ),
    one(
        "proxy",
        "rate_limit:{key}",
        "Compare the rate limit with what clients need",
        &["proxy.rl_limited_pct"],
    ),
    one(
        "db",
        "cache:{key}",
        "Raise the cache hit ratio",
        &["db.cache_hit_pct", "api.db_cache_hit_pct"],
    ),
    one(
        "db",
        "connections:{key}",
        "Use fewer connections",
        &[
            "db.conn_used_pct",
            "check.connection_saturation",
            "connection_leak",
        ],
    ),
    one(
        "db",
        "deadlocks:{key}",
        "Take locks in one order",
        &["db.deadlocks_per_sec"],
    ),
    one(
        "db",
        "slow_queries:{key}",
        "Look into long-running statements",
        &["db.slow_queries", "db.longest_query_secs"],
    ),
    one(
        "db",
        "waiting:{key}",
        "Resolve what sessions wait for",
        &["db.conn_waiting", "db.longest_lock_wait_secs"],
    ),
    one(
        "db",
        "checkpoint:{key}",
        "Relieve the checkpointer",
        &["db.backend_fsyncs_per_sec", "check.checkpoint_pressure"],
    ),
    one(
        "db",
        "wal:{key}",
        "Give WAL more room",
        &["db.checkpoints_req_pct", "check.wal_dir"],
    ),
    one(
        "db",
        "replication:{key}",
        "Look into replication lag",
        &[
            "replication.replay_lag_ms",
            "replication.standby_delay_secs",
        ],
    ),
    one(
        "db",
        "query:{key}",
        "Make a slow statement faster",
        &["statement_slow"],
    ),
    one(
        "db",
        "temp:{key}",
        "Give a statement more work_mem",
        &["statement_spills"],
    ),
    one(
        "performance",
        "io_read:{key}",
        "Look into slow reads",
        &["io.read_ms"],
    ),
    one(
        "performance",
        "io_write:{key}",
        "Look into slow writes",
        &["io.write_ms"],
    ),
    one(
        "performance",
        "{key}",
        "Make the updates of a table cheaper",
        &["table_churn"],
    ),
    one(
        "process",
        "{process}",
        "See whether a process leaks memory",
        &["process_memory"],
    ),
    one(
        "process",
        "{process}",
        "See what a process computes",
        &["process_cpu"],
    ),
    one(
        "process",
        "{process}",
        "See what files a process keeps open",
        &["process_files"],
    ),
    one(
        "process",
        "{process}",
        "Start a process that is gone",
        &["process_missing"],
    ),
    one(
        "process",
        "{process}",
        "See why a process was restarted",
        &["process_restarted"],
    ),
    one(
        "index",
        "unused:{key}",
        "Drop an unused index",
        &["check.unused_indexes"],
    ),
    one(
        "logs",
        "{source}",
        "Look into recurring messages",
        &["advice.recurring", "log_new_pattern", "log_error_spike"],
    ),
    one(
        "security",
        "{rule}:{key}",
        "Look into a security event",
        &[
            "ssh_brute_force",
            "ssh_slow_brute_force",
            "ssh_distributed",
            "ssh_success_after_failures",
            "sudo_failure",
            "fail2ban_ban",
            "firewall_block",
        ],
    ),
    // Known messages, with steps of their own.
    one(
        "logs",
        "{source}",
        "PostgreSQL connections refused",
        &["advice.postgres_connection"],
    ),
    one(
        "logs",
        "{source}",
        "Relation does not exist",
        &["advice.relation_missing"],
    ),
    one(
        "logs",
        "{source}",
        "Deadlock detected",
        &["advice.deadlock"],
    ),
    one(
        "logs",
        "{source}",
        "Disk or file system failing or full",
        &["advice.disk_io"],
    ),
    one(
        "logs",
        "{source}",
        "Account does not exist",
        &["advice.nouser_shadow"],
    ),
    one(
        "logs",
        "{source}",
        "The collector keeps restarting",
        &["advice.collector_crash_loop"],
    ),
    one(
        "logs",
        "{source}",
        "Permission denied",
        &["advice.permission_denied"],
    ),
    one(
        "logs",
        "{source}",
        "Service unreachable",
        &["advice.unreachable"],
    ),
    // Checks of PostgreSQL servers.
    one(
        "index",
        "{key}",
        "Drop a duplicate index",
        &["check.duplicate_indexes"],
    ),
    one(
        "index",
        "{key}",
        "Rebuild a bloated index",
        &["check.index_bloat_exact"],
    ),
    one(
        "index",
        "{key}",
        "Rebuild an invalid index",
        &["index.invalid"],
    ),
    one(
        "performance",
        "{key}",
        "Index a foreign key",
        &["check.fk_without_index"],
    ),
    one(
        "vacuum",
        "{key}",
        "Rewrite a bloated table",
        &["check.table_bloat", "check.table_bloat_exact"],
    ),
    one(
        "vacuum",
        "{key}",
        "Let autovacuum keep up",
        &["check.autovacuum_workers", "check.xmin_horizon"],
    ),
    one(
        "vacuum",
        "{key}",
        "Freeze old rows",
        &["db.wraparound_pct", "db.multixact_wraparound_pct"],
    ),
    one(
        "db",
        "{key}",
        "Improve a setting",
        &["check.settings_advice", "check.settings"],
    ),
    one(
        "db",
        "{key}",
        "Rebuild indexes after a change of collation",
        &["check.collation_mismatch"],
    ),
    one("db", "{key}", "Widen a sequence", &["check.sequences"]),
    one(
        "db",
        "{key}",
        "Finish a prepared transaction",
        &["check.prepared_xacts"],
    ),
    one(
        "db",
        "{key}",
        "Give a published table a replica identity",
        &["check.missing_replica_identity"],
    ),
    one(
        "db",
        "{key}",
        "Make the archive keep up",
        &["check.archive_pending", "db.archive_failing"],
    ),
    one(
        "db",
        "replication:{key}",
        "Drop a slot, or bring its consumer back",
        &[
            "replication.retained_bytes",
            "replication.slot_inactive",
            "replication.slot_lost",
        ],
    ),
    one(
        "system",
        "{key}",
        "Correct the definition of an objective",
        &["slo_definition"],
    ),
];
