//! `pqcrypta alerts` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

use serde_json::Value;
use testkit::Database;

/// Runs the command on a database; its exit status and output.
fn run(target: &pg::Target, arguments: &[&str]) -> (i32, String) {
    let ran = common::run("alerts", target, arguments);
    (ran.code, ran.output)
}

/// Creates a database with a host that has just delivered a sample.
async fn with_host() -> Database {
    let database = testkit::migrated().await.unwrap();
    database
        .sql(
            "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m1', 'alpha');
             INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, last_ts, updated_at)
             SELECT 1, '00000000-0000-0000-0000-000000000002', 1, '{}', at, at FROM (SELECT now() + interval '1 hour' AS at) t;",
        )
        .await
        .unwrap();
    database
}

/// Adds a finding that began this many minutes ago.
async fn add(database: &Database, rule: &str, severity: &str, state: &str) {
    let (unknown, resolved) = match state {
        "unknown" => ("now()", "NULL"),
        "resolved" => ("NULL", "now() - interval '1 hour'"),
        "old" => ("NULL", "now() - interval '25 hours'"),
        _ => ("NULL", "NULL"),
    };
    let confirmed = if state == "pending" {
        "NULL"
    } else {
        "now() - interval '50 hours'"
    };
    let text = format!(
        "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, command,
                                         opened_at, confirmed_at, seen_at, unknown_since, resolved_at)
         VALUES (1, '{rule}', '', 'alert', 'system', '{severity}', '{severity}', 'label', 'The condition of {rule}',
                 ARRAY['Look at it.'], 'ps aux', now() - interval '50 hours', {confirmed}, now(), {unknown}, {resolved});
         SELECT collector.take_mark(1, '{rule}', '')"
    );
    database.sql(&text).await.unwrap();
}

#[tokio::test]
async fn the_exit_status_is_that_of_the_worst() {
    let database = with_host().await;
    let target = database.target();
    add(&database, "pending", "critical", "pending").await;
    add(&database, "old", "critical", "old").await;
    add(&database, "resolved", "critical", "resolved").await;
    add(&database, "info", "info", "firing").await;
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.starts_with("OK: 1 info\nINFO      alpha: The condition of info (since "),
        "{text}"
    );
    add(&database, "lost", "critical", "unknown").await;
    assert_eq!(run(&target, &[]).0, 3, "findings without data alone");
    add(&database, "warning", "warn", "firing").await;
    assert_eq!(run(&target, &[]).0, 1);
    add(&database, "critical", "critical", "firing").await;
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.starts_with(
            "CRITICAL: 1 critical, 1 warning, 1 info, 1 without data; alpha: The condition of critical\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("\n          Look at it.\n          $ ps aux\n"),
        "{text}"
    );
    for absent in ["pending", "old", "RESOLVED"] {
        assert!(!text.contains(absent), "{text}");
    }
    let (code, all) = run(&target, &["--all"]);
    assert_eq!(code, 2);
    assert!(
        all.contains("\nRESOLVED  alpha: The condition of resolved ("),
        "{all}"
    );
    assert!(!all.contains("old"), "{all}");
}

#[tokio::test]
async fn json_has_the_same_list() {
    let database = with_host().await;
    add(&database, "critical", "critical", "firing").await;
    add(&database, "resolved", "warn", "resolved").await;
    let (code, text) = run(&database.target(), &["--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &answer["status"]), (2, &Value::from("critical")));
    let alerts = answer["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1);
    for (name, value) in [
        ("host", "alpha"),
        ("state", "firing"),
        ("rule", "critical"),
        ("title", "The condition of critical"),
        ("command", "ps aux"),
    ] {
        assert_eq!(alerts[0][name], value, "{name}");
    }
    assert!(alerts[0]["resolved_at"].is_null());
    let (_, text) = run(&database.target(), &["--json", "--all"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["alerts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_samples_or_a_database_nothing_is_known() {
    let database = with_host().await;
    add(&database, "critical", "critical", "firing").await;
    let silence = "UPDATE collector.spool_watermark SET last_ts = now() - interval '10 minutes'";
    database.sql(silence).await.unwrap();
    let (code, text) = run(&database.target(), &[]);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("UNKNOWN   alpha: the collector is silent, newest sample 10 min ago\n"),
        "{text}"
    );
    assert!(
        text.contains("UNKNOWN   alpha: The condition of critical (since "),
        "{text}"
    );
    assert!(
        text.starts_with("UNKNOWN: 1 without data, no data from 1 host; alpha: the collector is silent, newest sample 10 min ago\n"),
        "{text}"
    );
    let gone = database.target().with_database("gone");
    let (code, text) = run(&gone, &[]);
    assert_eq!(code, 3);
    assert!(text.starts_with("UNKNOWN: "), "{text}");
    let (code, text) = run(&gone, &["--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &answer["status"]), (3, &Value::from("unknown")));
    let empty = testkit::migrated().await.unwrap();
    let (code, text) = run(&empty.target(), &[]);
    assert_eq!(
        (code, &*text),
        (3, "UNKNOWN: no host has stored anything yet\n")
    );
}

#[test]
fn a_check_that_is_misused_or_misconfigured_knows_nothing() {
    let check = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_pqcrypta"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    };
    assert_eq!(check(&["alerts", "--nonsense"]).0, 3);
    assert_eq!(check(&["status", "--nonsense"]).0, 2);
    assert_eq!(check(&["alerts", "--help"]).0, 0);
    let (code, text) = check(&["alerts", "--config", "/nonexistent/collector.toml"]);
    assert_eq!(
        (code, &*text),
        (3, "UNKNOWN: the configuration is not valid\n")
    );
}

#[tokio::test]
async fn what_is_acknowledged_or_dismissed_stays_so_when_it_returns() {
    let database = with_host().await;
    let target = database.target();
    add(&database, "critical", "critical", "firing").await;
    assert_eq!(
        run(&target, &["ack", "99"]),
        (1, "no open finding has the number 99\n".to_owned())
    );
    assert_eq!(
        run(&target, &["ack", "1"]),
        (0, "1 is acknowledged\n".to_owned())
    );
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 2, "it holds on");
    assert!(text.contains(", number 1, acknowledged)"), "{text}");

    assert_eq!(run(&target, &["dismiss", "1", "--for", "7d"]).0, 0);
    assert_eq!(run(&target, &[]).0, 0, "it is in no list");
    // It ends, and is found again an hour later.
    let end = "UPDATE collector.findings SET resolved_at = now() - interval '1 hour' WHERE resolved_at IS NULL";
    database.sql(end).await.unwrap();
    database
        .sql("SELECT collector.lapse_marks(1, now())")
        .await
        .unwrap();
    add(&database, "critical", "critical", "firing").await;
    assert_eq!(run(&target, &[]).0, 0);
    assert_eq!(run(&target, &["undo", "2"]).0, 0);
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 2);
    assert!(text.contains(", number 2)"), "{text}");
    assert_eq!(run(&target, &["undo", "2"]).0, 1);

    // A dismissal ends with its time …
    assert_eq!(run(&target, &["dismiss", "2", "--for", "1h"]).0, 0);
    database
        .sql("SELECT collector.lapse_marks(1, now() + interval '2 hours')")
        .await
        .unwrap();
    assert_eq!(run(&target, &[]).0, 2);
    // … and with its cause, once that has not held for a day.
    assert_eq!(run(&target, &["dismiss", "2"]).0, 0);
    database.sql(end).await.unwrap();
    database
        .sql("SELECT collector.lapse_marks(1, now() + interval '22 hours')")
        .await
        .unwrap();
    add(&database, "critical", "critical", "firing").await;
    assert_eq!(run(&target, &[]).0, 0);
    database.sql(end).await.unwrap();
    database
        .sql("SELECT collector.lapse_marks(1, now() + interval '24 hours')")
        .await
        .unwrap();
    add(&database, "critical", "critical", "firing").await;
    assert_eq!(run(&target, &[]).0, 2);
}
