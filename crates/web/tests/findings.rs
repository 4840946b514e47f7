//! Findings over known rows: their table, and what of them is a problem now.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, Server, area, find, rows, seeded, serve, severity, sql_time, tick};
use serde_json::{Value, json};
use testkit::Database;

async fn with_findings() -> Database {
    let database = seeded().await;
    let text = include_str!("common/findings.sql").replace("%START%", &sql_time(START));
    database.sql(&text).await.unwrap();
    database
}

async fn titles(server: &Server, asked: &str) -> Vec<String> {
    let answer = server.ask(&format!("table/findings?{asked}")).await;
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row["cells"][0].as_str().unwrap().to_owned())
        .collect()
}

/// Ids of the problems that are findings, ranked.
fn of_findings(now: &Value) -> Vec<&str> {
    let problems = now["problems"].as_array().unwrap().iter();
    problems
        .map(|problem| problem["id"].as_str().unwrap())
        .filter(|id| id.starts_with("finding."))
        .collect()
}

#[tokio::test]
async fn the_table_has_what_is_open_first_then_the_worst_then_the_newest() {
    let database = with_findings().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/findings?from=now-1h").await;
    insta::assert_json_snapshot!(
        "findings",
        json!({
            "rows": rows(&meta, "findings", &answer),
            "facets": answer["facets"],
            "severities": answer["filter_severities"],
        })
    );
}

#[tokio::test]
async fn a_range_has_the_findings_that_overlap_it() {
    let database = with_findings().await;
    let server = serve(&database);
    let range =
        |from: i64, to: i64| format!("from={}&to={}", START + from * 60_000, START + to * 60_000);
    let login = "A login after many failures";
    // Up to its very end it was; what opens at the end of the range is not in it.
    assert!(
        titles(&server, &range(14, 30))
            .await
            .contains(&login.to_owned())
    );
    assert_eq!(
        titles(&server, &range(15, 20)).await,
        ["Password guessing over SSH", "Make room on the disk"]
    );
    assert_eq!(
        titles(&server, &range(-190, -100)).await,
        ["sudo was refused"]
    );
    assert!(titles(&server, &range(-300, -201)).await.is_empty());
    for (filter, count) in [
        ("f.state=firing", 5),
        ("f.severity=critical", 2),
        ("f.severity=critical&f.state=resolved", 1),
        ("f.kind=recommendation", 1),
        ("f.domain=security&f.domain=logs", 6),
        ("q=BANIP", 1),
    ] {
        let asked = format!("from=now-1h&{filter}");
        assert_eq!(titles(&server, &asked).await.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn open_findings_that_want_somebody_are_problems_of_the_logs() {
    let database = with_findings().await;
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(
        of_findings(&now),
        [
            "finding.ssh_brute_force@203.0.113.9",
            "finding.log_error_spike@db",
            "finding.log_new_pattern@cccccccccccccccc",
        ],
        "neither what is worth knowing nor what is over"
    );
    let attack = find(
        &now["problems"],
        "id",
        "finding.ssh_brute_force@203.0.113.9",
    );
    assert_eq!(
        attack,
        &json!({
            "id": "finding.ssh_brute_force@203.0.113.9", "severity": "critical",
            "title": "Password guessing over SSH: 203.0.113.9", "metric": "", "key": "203.0.113.9",
            "value": null, "current": null, "level": null, "since_ms": START + 600_000, "as_of_ms": START + 1_740_000, "unknown_since_ms": null,
            "finding": attack["finding"], "view": "logs",
            "fix": "Block it:", "cause": "", "command": "fail2ban-client set sshd banip 203.0.113.9", "effects": [],
        })
    );
    assert!(attack["finding"].is_string());
    let pattern = find(
        &now["problems"],
        "id",
        "finding.log_new_pattern@cccccccccccccccc",
    );
    assert_eq!(
        pattern["title"],
        "An error never seen before: <img src=x onerror=alert(1)> <*>"
    );
    let logs = area(&now, "logs");
    assert_eq!(
        (&logs["present"], &logs["severity"], &logs["count"]),
        (&json!(true), &json!("critical"), &json!(3))
    );
    assert_eq!(
        now["badges"]["logs"],
        json!({"severity": "critical", "count": 3})
    );
    assert_eq!(now["badges"]["collector"]["count"], 0);
    assert_eq!(now["verdict"]["severity"], "critical");
}

#[tokio::test]
async fn many_findings_of_one_rule_are_the_worst_and_a_count() {
    let database = with_findings().await;
    let more = format!(
        "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, value, opened_at, confirmed_at, seen_at)
         SELECT 1, 'ssh_brute_force', '10.0.' || i / 250 || '.' || i % 250, 'alert', 'security', 'critical', 'critical',
                'Password guessing over SSH', 'm', ARRAY['Block it.'], i, {0}, {0}, {0} FROM generate_series(1, 5000) i",
        sql_time(START)
    );
    database.sql(&more).await.unwrap();
    let server = serve(&database);
    let now = server.ask("now").await;
    let ids = of_findings(&now);
    assert_eq!(
        ids[..2],
        [
            "finding.ssh_brute_force@10.0.20.0",
            "finding.ssh_brute_force+"
        ]
    );
    assert_eq!(ids.len(), 4, "{ids:?}");
    let rest = find(&now["problems"], "id", ids[1]);
    assert_eq!(
        rest["title"],
        "Password guessing over SSH: 5000 more, the worst 10.0.19.249"
    );
    assert_eq!(rest["key"], Value::Null);
    let answer = server.ask("table/findings?from=now-1h&limit=25").await;
    assert_eq!(answer["total"], 2000);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn the_table_has_findings_of_all_domains_and_those_of_lines_by_filter() {
    let database = with_findings().await;
    let memory = common::finding("system.mem_used_pct", "", "critical", json!({}));
    common::store_findings(&database, &[memory]).await;
    let server = serve(&database);
    assert_eq!(titles(&server, "from=now-1h").await.len(), 7);
    let of_lines = "from=now-1h&f.domain=logs&f.domain=security";
    assert_eq!(titles(&server, of_lines).await.len(), 6);
    assert_eq!(of_findings(&server.ask("now").await).len(), 3);
    let now = server.ask("now").await;
    assert_eq!(now["problems"].as_array().unwrap().len(), 4, "one list");
}

#[tokio::test]
async fn findings_over_old_data_are_unknown() {
    let database = with_findings().await;
    let server = serve(&database);
    server.set_clock(tick(common::TICKS) + 600_000);
    let now = server.ask("now").await;
    assert_eq!(now["freshness"]["state"], "stale");
    assert_eq!(now["verdict"]["severity"], "unknown");
    assert_eq!(area(&now, "logs")["severity"], "unknown");
    assert_eq!(now["badges"]["logs"]["severity"], "unknown");
    // What was known stays readable.
    assert_eq!(severity(&now, "finding.log_error_spike@db"), "warn");
}

#[tokio::test]
async fn a_resolved_finding_is_not_a_problem_at_the_next_tick() {
    let database = with_findings().await;
    let server = serve(&database);
    assert_eq!(of_findings(&server.ask("now").await).len(), 3);
    common::set(&database, "findings", "resolved_at = seen_at", "true").await;
    common::add(&database, common::TICKS, common::TICKS + 1).await;
    server.set_clock(tick(common::TICKS) + 1_000);
    let now = server.ask("now").await;
    assert!(of_findings(&now).is_empty());
    assert_eq!(area(&now, "logs")["present"], false);
    assert_eq!(now["verdict"]["severity"], "ok");
}
