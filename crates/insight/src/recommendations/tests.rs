use super::*;
use crate::judge::{Judge, TickFacts};
use crate::lifecycle::Lifecycle;
use crate::live::Intervals;
use crate::memory::Memory;
use crate::registry::{rule, rules};
use schema::finding::Kind;
use schema::micros::{HOUR, SECOND};
use schema::tables::FindingTransition;
use schema::{Row, Severity};
use std::collections::HashSet;

/// Every row of the reference's table: category, subject, and the condition with what it follows from here.
const REFERENCE: [(&str, &str, &[&str]); 37] = [
    // Dead rows above 20 or 50 percent.
    ("vacuum", "{schema}.{table}", &["table.dead_pct"]),
    // CPU above 80 or 95 percent.
    ("system", "cpu", &["system.cpu_busy_pct"]),
    ("system", "memory", &["system.mem_used_pct"]),
    // Load above 4: by cores.
    ("system", "load", &["system.load_per_core"]),
    ("system", "disk:{mount}", &["mount.used_pct"]),
    ("system", "swap", &["system.swap_used_pct"]),
    ("api", "db_response_time", &["api.db_response_ms"]),
    ("api", "latency", &["api.p95_ms"]),
    ("api", "errors", &["api.error_pct"]),
    ("api", "connections", &["api.active_connections"]),
    ("api", "p99_latency", &["api.p99_ms"]),
    ("proxy", "latency", &["proxy.latency_p95_ms"]),
    ("proxy", "errors", &["proxy.error_pct"]),
    ("proxy", "concurrency", &["proxy.requests_in_progress"]),
    // More than 10 handshake failures since the start: by handshakes.
    ("proxy", "tls", &["proxy.handshake_failure_pct"]),
    // More than 100 limited requests since the start: by requests.
    ("proxy", "rate_limit", &["proxy.rl_limited_pct"]),
    ("db", "cache", &["db.cache_hit_pct"]),
    // More than 80 connections: by max_connections.
    ("db", "connections", &["db.conn_used_pct"]),
    ("db", "deadlocks", &["db.deadlocks_per_sec"]),
    ("db", "slow_queries", &["db.slow_queries"]),
    ("db", "waiting", &["db.conn_waiting"]),
    ("db", "checkpoint", &["db.backend_fsyncs_per_sec"]),
    // More than 100 MB of WAL since the start: by max_wal_size, which it forces checkpoints at.
    ("db", "wal", &["db.checkpoints_req_pct"]),
    ("db", "replication:{slot}", &["replication.replay_lag_ms"]),
    ("db", "query:{id}", &["statement_slow"]),
    ("db", "temp:{id}", &["statement_spills"]),
    ("performance", "io_read", &["io.read_ms"]),
    ("performance", "io_write", &["io.write_ms"]),
    ("performance", "{table}", &["table_churn"]),
    ("process", "{name}", &["process_memory"]),
    ("process", "{name}", &["process_cpu"]),
    ("process", "{name}", &["process_files"]),
    ("process", "{name}", &["process_missing"]),
    ("process", "{name}", &["process_restarted"]),
    ("index", "unused:{name}", &["check.unused_indexes"]),
    ("logs", "{source}", &["advice.recurring"]),
    (
        "security",
        "{event_type}",
        &["ssh_brute_force", "fail2ban_ban", "firewall_block"],
    ),
];

#[test]
fn every_recommendation_of_the_reference_is_there() {
    let mut titles = HashSet::new();
    for (category, target, of) in REFERENCE {
        for id in of {
            let found = rule(id).unwrap_or_else(|| panic!("no rule {id}"));
            let one = of_rule(found.id).unwrap_or_else(|| panic!("{id} recommends nothing"));
            assert_eq!(one.category, category, "{id}");
            // What names the kind of subject is the same; what names the subject is its full name here.
            let kind = target.split(['{', ':']).next().unwrap_or_default();
            assert!(one.target.starts_with(kind), "{id}: {}", one.target);
            titles.insert((one.category, one.target, one.title));
        }
    }
    // No two rows of the reference are one here.
    assert_eq!(titles.len(), REFERENCE.len());
}

#[test]
fn recommendations_are_of_rules_that_exist_and_every_advice_is_one() {
    let mut seen = HashSet::new();
    for one in RECOMMENDATIONS {
        assert!(
            !one.title.ends_with('.') && !one.title.contains('{'),
            "{}",
            one.title
        );
        for id in one.rules {
            assert!(rule(id).is_some(), "{id}");
            assert!(seen.insert(*id), "{id} recommends two things");
        }
    }
    for one in rules().filter(|one| one.kind == Kind::Recommendation) {
        assert!(of_rule(one.id).is_some(), "{} has no category", one.id);
    }
}

fn advice(id: &str, target: &str, details: Option<&str>) -> (String, String) {
    let finding = Finding {
        details: details.map(str::to_owned),
        ..rule(id)
            .unwrap()
            .finding(target, Severity::Warn, String::new())
    };
    let details: Value = serde_json::from_str(&super::details(&finding, None).unwrap()).unwrap();
    let text = |name: &str| details["advice"][name].as_str().unwrap().to_owned();
    (text("category"), text("target"))
}

#[test]
fn a_subject_is_called_as_it_is_in_the_reference() {
    for (id, target, details, category, expected) in [
        ("system.cpu_busy_pct", "", None, "system", "cpu"),
        ("mount.used_pct", "/srv", None, "system", "disk:/srv"),
        ("api.p95_ms", "shop", None, "api", "latency:shop"),
        (
            "replication.replay_lag_ms",
            "main.a",
            None,
            "db",
            "replication:main.a",
        ),
        ("process_cpu", "node 4711", None, "process", "node"),
        ("process_missing", "my daemon", None, "process", "my daemon"),
        (
            "check.unused_indexes",
            "m.d.public.i",
            None,
            "index",
            "unused:m.d.public.i",
        ),
        (
            "advice.recurring",
            "f00",
            Some(r#"{"source":"api"}"#),
            "logs",
            "api",
        ),
        (
            "ssh_brute_force",
            "203.0.113.9",
            None,
            "security",
            "ssh_brute_force:203.0.113.9",
        ),
        // Names in braces are names.
        ("mount.used_pct", "{rule}", None, "system", "disk:{rule}"),
        (
            "ssh_brute_force",
            "{key}",
            None,
            "security",
            "ssh_brute_force:{key}",
        ),
    ] {
        let found = advice(id, target, details);
        assert_eq!(
            found,
            (category.to_owned(), expected.to_owned()),
            "{id} {target}"
        );
    }
}

#[test]
fn details_of_the_finding_are_kept() {
    let cause = r#"{"cause":"Most CPU: node"}"#;
    let finding = Finding {
        details: Some(cause.to_owned()),
        ..rule("system.cpu_busy_pct")
            .unwrap()
            .finding("", Severity::Warn, String::new())
    };
    let details: Value = serde_json::from_str(&super::details(&finding, None).unwrap()).unwrap();
    assert_eq!(details["cause"], "Most CPU: node");
    assert_eq!(details["advice"]["title"], "Reduce the load on the CPU");
    // Nothing follows from this one.
    let other = Finding {
        details: Some(cause.to_owned()),
        ..rule("db.up")
            .unwrap()
            .finding("m", Severity::Critical, String::new())
    };
    assert_eq!(super::details(&other, None).as_deref(), Some(cause));
}

const NOW: i64 = 1_800_000_000_000_000;

/// An instant so many microseconds after the beginning.
pub(super) fn at(micros: i64) -> schema::Timestamp {
    schema::Timestamp(NOW + micros)
}

/// A judge with what it looks at, and what became of its findings: hour, transition and target.
pub(super) struct Host<J> {
    judge: J,
    memory: Memory,
    pub(super) findings: Lifecycle,
    pub(super) steps: Vec<String>,
    /// The newest transition.
    pub(super) last: FindingTransition,
}

const INTERVALS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 10 * SECOND,
};

impl<J: for<'a> Judge<Facts<'a> = TickFacts<'a>> + Default> Default for Host<J> {
    fn default() -> Self {
        Self {
            judge: J::default(),
            memory: Memory::new(INTERVALS).unwrap(),
            findings: Lifecycle::new(J::rules()),
            steps: Vec::new(),
            last: FindingTransition::default(),
        }
    }
}

impl<J: for<'a> Judge<Facts<'a> = TickFacts<'a>>> Host<J> {
    pub(super) fn tick(&mut self, rows: impl IntoIterator<Item = Row>) {
        let rows: Vec<Row> = rows.into_iter().collect();
        let at = rows.first().map_or(schema::Timestamp(NOW), |row| row.ts);
        self.memory.take(&rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[&rows],
            intervals: INTERVALS,
        };
        let evaluation = self.judge.evaluate(facts, &self.findings, at);
        for (_, row) in self.findings.reconcile(evaluation, at) {
            let hour = (at.as_micros() - NOW) / HOUR;
            self.steps
                .push(format!("{hour} {} {}", row.transition, row.target));
            if row.transition != "resolved" {
                self.last = row;
            }
        }
    }
}

/// A lock that sessions wait for makes statements slow: ending it is one thing to do.
#[test]
fn what_follows_from_another_recommendation_is_none() {
    let finding = rule("db.slow_queries")
        .unwrap()
        .finding("main", Severity::Warn, String::new());
    let is_advice = |cause| {
        let details = super::details(&finding, cause);
        details.is_some_and(|details| details.contains("advice"))
    };
    assert!(is_advice(None));
    assert!(!is_advice(Some("db.longest_lock_wait_secs")));
    // Nothing is recommended for it.
    assert!(is_advice(Some("correlation")));
}
