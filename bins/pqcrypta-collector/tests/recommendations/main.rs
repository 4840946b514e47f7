//! Every recommendation on its real condition: a PostgreSQL server, an API and a proxy are brought into it, collected and judged,
//! and the finding is there with its evidence; the condition is ended, and the finding is resolved.
//!
//! Samples are real, their instants are not: hours and weeks pass between two of them. What cannot be made so is in [`LEFT`], with the
//! reason and the test that sees it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod database;
mod peers;
mod watch;

use database::Database;
use insight::recommendations::RECOMMENDATIONS;
use std::collections::BTreeSet;
use watch::{MINUTE, Watch};

/// Rules whose condition is made here, with a part of the finding's target and of its message: the evidence.
const MADE: &[(&str, &str, &str)] = &[
    ("table.dead_pct", "public.dead", "dead"),
    ("vacuum_overdue", "public.dead", "vacuum"),
    (
        "check.autovacuum_queue",
        "public.dead",
        "dead rows; autovacuum is due at",
    ),
    ("db.cache_hit_pct", "main", "%"),
    ("db.conn_used_pct", "main", "%"),
    (
        "check.connection_saturation",
        "limited",
        "of the 3 connections",
    ),
    ("db.deadlocks_per_sec", "main", "1 deadlock"),
    ("db.slow_queries", "main", "for more than 5 s"),
    ("db.conn_waiting", "main", "blocks 1 session"),
    ("db.checkpoints_req_pct", "main", "%"),
    ("check.wal_dir", "main", "max_wal_size is"),
    (
        "check.duplicate_indexes",
        "public.twice",
        "does the work of",
    ),
    ("check.fk_without_index", "refers", "has no index"),
    ("index.invalid", "public.failed", "invalid"),
    ("check.settings", "autovacuum", "off"),
    ("check.settings_advice", "track_io_timing", "off"),
    ("check.sequences", "public.short", "has used 95 %"),
    (
        "check.missing_replica_identity",
        "public.published",
        "has no replica identity",
    ),
    ("db.archive_failing", "main", ""),
    ("replication.slot_inactive", "idle", ""),
    ("replication.slot_lost", "lost", ""),
    ("api.db_response_ms", "shop", "240 ms"),
    ("api.p95_ms", "shop", "1.5 s"),
    ("api.p99_ms", "shop", "6 s"),
    ("api.error_pct", "shop", "%"),
    ("api.active_connections", "shop", "400"),
    ("api.db_cache_hit_pct", "shop", "80 %"),
    ("proxy.latency_p95_ms", "edge", ""),
    ("proxy.error_pct", "edge", "%"),
    ("proxy.requests_in_progress", "edge", "900"),
    ("proxy.handshake_failure_pct", "edge", "%"),
    ("proxy.rl_limited_pct", "edge", "%"),
];

const HOST: &str = "of the whole host, which other tests share; the generated month has it";
const CAUSES: &str = "made live in tests/causes";
const LINES: &str = "follows from lines, which tests/messages and the tests of insight have";
const BUSY: &str = "takes minutes by the server's clock, or a load that a test cannot end at will";
const ELSEWHERE: &str = "a second server; the tests of collect have its rows";
const LARGE: &str = "from 100 MB of one table or a GiB of WAL on";

const JUDGED: &str = "follows from hours to weeks of statistics; its judge's tests have it";

/// Rules whose condition is not made here, and why.
const LEFT: &[(&str, &str)] = &[
    ("system.cpu_busy_pct", HOST),
    ("system.pressure_cpu_some_pct", HOST),
    ("system.mem_used_pct", HOST),
    ("system.pressure_memory_full_pct", HOST),
    ("system.load_per_core", HOST),
    ("system.swap_used_pct", HOST),
    ("system.oom_kills_per_sec", CAUSES),
    ("mount.used_pct", CAUSES),
    ("mount.inodes_used_pct", "as mount.used_pct"),
    (
        "connection_leak",
        "grows over an hour; its judge's tests have it",
    ),
    ("db.longest_query_secs", BUSY),
    ("db.longest_lock_wait_secs", CAUSES),
    (
        "db.backend_fsyncs_per_sec",
        "a full queue of the checkpointer cannot be had at will",
    ),
    (
        "check.checkpoint_pressure",
        "holds while a checkpoint is late, which a test cannot keep up",
    ),
    ("replication.replay_lag_ms", ELSEWHERE),
    ("replication.standby_delay_secs", ELSEWHERE),
    ("io.read_ms", "a slow disk; the generated month has it"),
    ("io.write_ms", "a slow disk; the generated month has it"),
    ("process_memory", HOST),
    ("process_cpu", HOST),
    ("process_files", CAUSES),
    ("process_missing", CAUSES),
    (
        "process_restarted",
        "the other end of process_missing; its judge's tests have it",
    ),
    ("advice.recurring", LINES),
    ("log_new_pattern", LINES),
    ("log_error_spike", LINES),
    ("ssh_brute_force", CAUSES),
    ("ssh_slow_brute_force", LINES),
    ("ssh_distributed", LINES),
    ("ssh_success_after_failures", LINES),
    ("sudo_failure", LINES),
    ("fail2ban_ban", LINES),
    ("firewall_block", LINES),
    ("advice.postgres_connection", LINES),
    ("advice.relation_missing", LINES),
    ("advice.deadlock", LINES),
    ("advice.disk_io", LINES),
    ("advice.nouser_shadow", LINES),
    ("advice.collector_crash_loop", LINES),
    ("advice.permission_denied", LINES),
    ("advice.unreachable", LINES),
    ("check.index_bloat_exact", LARGE),
    ("check.table_bloat", LARGE),
    ("check.table_bloat_exact", LARGE),
    ("check.autovacuum_workers", BUSY),
    ("check.xmin_horizon", "a hundred million transactions"),
    ("db.wraparound_pct", "half a billion transactions"),
    ("db.multixact_wraparound_pct", "a billion of them"),
    (
        "check.collation_mismatch",
        "a change of the system's library; the tests of collect write another version",
    ),
    ("check.prepared_xacts", BUSY),
    ("check.archive_pending", LARGE),
    ("replication.retained_bytes", LARGE),
    ("slo_definition", "the tests of objectives have it"),
    ("statement_slow", JUDGED),
    ("statement_spills", JUDGED),
    ("table_churn", JUDGED),
    ("check.unused_indexes", JUDGED),
];

#[test]
fn each_rule_that_recommends_is_made_or_left_with_a_reason() {
    let all: Vec<&str> = RECOMMENDATIONS
        .iter()
        .flat_map(|one| one.rules)
        .copied()
        .collect();
    let listed = MADE
        .iter()
        .map(|one| one.0)
        .chain(LEFT.iter().map(|one| one.0));
    let listed: Vec<&str> = listed.collect();
    let sorted = |of: &[&str]| {
        of.iter()
            .map(|one| (*one).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(sorted(&listed), sorted(&all));
    assert_eq!(listed.len(), all.len(), "one is listed twice");
}

#[tokio::test]
async fn each_condition_recommends_and_ends() {
    let mut database = Database::start().await;
    let mut watch = Watch::start(&database).await;
    // What is usual at first.
    watch.pass(70 * MINUTE, &mut database).await;
    database.begin().await;
    watch.peers.is_well = false;
    watch.pass(35 * MINUTE, &mut database).await;
    // Advice about indexes wants two weeks.
    watch.sleep(14 * 24 * 60 * MINUTE + 60 * MINUTE);
    database.is_busy = false;
    for _ in 0..20 {
        watch.pass_slowly(30 * MINUTE).await;
    }
    let found = watch.confirmed();
    let mut wrong = Vec::new();
    for (rule, target, evidence) in MADE {
        let of_rule = || {
            found
                .iter()
                .filter(|one| one.rule == *rule && one.target.contains(target))
        };
        let all: Vec<&str> = of_rule().map(|one| one.message.as_str()).collect();
        if !all.iter().any(|message| message.contains(evidence)) {
            wrong.push(format!("{rule} {target}: {all:?}"));
        }
        let has_next_step = |one: &&schema::tables::FindingTransition| one.steps.0.len() > 2;
        if !of_rule().all(|one| has_next_step(&one)) {
            wrong.push(format!("{rule} {target} has no step"));
        }
        // What follows from another recommendation is no advice of its own.
        let is_advice = |one: &&schema::tables::FindingTransition| {
            let details = one.details.as_ref().map_or("", |details| &*details.0);
            one.cause_rule.is_some() || details.contains("\"advice\"")
        };
        if !of_rule().all(|one| is_advice(&one)) {
            wrong.push(format!("{rule} {target} is no advice"));
        }
    }
    database.end().await;
    watch.peers.is_well = true;
    watch.pass(75 * MINUTE, &mut database).await;
    for _ in 0..60 {
        watch.pass_slowly(60 * MINUTE).await;
    }
    for (rule, target, _) in MADE {
        let found = watch.confirmed();
        let of_rule = found
            .iter()
            .filter(|one| one.rule == *rule && one.target.contains(target));
        let open: Vec<_> = of_rule.filter(|one| one.resolved_at.is_none()).collect();
        if !open.is_empty() {
            wrong.push(format!(
                "{rule} {target} has not ended: {}",
                open[0].message
            ));
        }
    }
    watch.end().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
