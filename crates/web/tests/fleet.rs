//! All hosts at once: the table `fleet`, and the verdict over all in `now`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    START, TICKS, empty, finding, rows, seeded, serve, serve_with, set, sql_time, store_findings,
    tick, with_services,
};
use schema::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::Database;
use web::Settings;

const MARKUP: &str = "<img src=x onerror=alert(1)>";

/// Adds a host with the samples of the seeded one, up to tick `to`.
async fn add_host(database: &Database, name: &str, to: i64) {
    let started = sql_time(START - 5_000);
    let until = sql_time(tick(to));
    let mut text = format!(
        "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('{name}', '{name}');
         INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
         SELECT max(host_id), gen_random_uuid(), gen_random_uuid(), 78, '0.0.9', {started},
                '{{\"intervals.system_secs\": [\"10\", \"default\"]}}' FROM collector.hosts;
         INSERT INTO collector.spool_watermark (host_id, writer, seq, progress)
         SELECT max(host_id), gen_random_uuid(), 1, '{{}}' FROM collector.hosts;\n"
    );
    for table in [
        "system_metrics_raw",
        "mount_metrics_raw",
        "disk_metrics_raw",
        "network_metrics_raw",
        "heartbeat",
        "collector_self_metrics",
    ] {
        text += &format!(
            "INSERT INTO collector.{table} SELECT r.* FROM collector.{table} s, jsonb_populate_record(s,
                 jsonb_build_object('host_id', (SELECT max(host_id) FROM collector.hosts))) r
             WHERE s.host_id = 1 AND s.ts <= {until};\n"
        );
    }
    database.sql(&text).await.unwrap();
}

/// A healthy host, one with problems, a silent one with a problem of before, and one with markup for a name.
async fn four() -> Database {
    let database = seeded().await;
    add_host(&database, "beta", TICKS).await;
    add_host(&database, "gamma", 60).await;
    add_host(&database, MARKUP, TICKS).await;
    let of = |host: i32, value: f64| json!({"host_id": host, "value": value, "threshold": 75.0});
    let findings = [
        finding("mount.used_pct", "/var", "warn", of(2, 81.5)),
        finding("system.mem_used_pct", "", "critical", of(2, 92.0)),
        finding("mount.used_pct", "/var", "warn", of(3, 81.5)),
    ];
    store_findings(&database, &findings).await;
    database
}

#[tokio::test]
async fn hosts_are_listed_with_the_worst_first_and_a_silent_one_is_unread() {
    let database = four().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/fleet").await;
    let newest = tick(TICKS - 1);
    let found = rows(&meta, "fleet", &answer);
    assert_eq!(
        found,
        [
            json!({"id": "2", "host": "beta", "verdict": "critical", "problem": "system.mem_used_pct of ", "since_ms": tick(120),
                   "problems": 2, "age_secs": 1.0, "newest_ms": newest, "version": "0.0.9", "view": "system", "position": 0}),
            json!({"id": "3", "host": "gamma", "verdict": "unknown", "problem": "The collector is silent", "since_ms": tick(60),
                   "problems": "2 unknown", "age_secs": "1191.0 unknown", "newest_ms": tick(60), "version": "0.0.9",
                   "view": "collector", "position": 1}),
            json!({"id": "4", "host": MARKUP, "verdict": "ok", "problems": 0, "age_secs": 1.0, "newest_ms": newest,
                   "version": "0.0.9", "position": 2}),
            json!({"id": "1", "host": "alpha", "verdict": "ok", "problems": 0, "age_secs": 1.0, "newest_ms": newest,
                   "version": "0.1.0", "position": 3}),
        ]
    );
    let states = json!({"critical": 1, "normal": 2, "unread": 1});
    assert_eq!(answer["facets"]["state"], states);
    let hosts = async |sort: &str| -> Vec<Value> {
        let answer = server.ask(&format!("table/fleet?sort={sort}")).await;
        let rows = answer["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(hosts("verdict").await, ["2", "3", "4", "1"]);
    assert_eq!(hosts("-verdict").await, ["1", "4", "3", "2"]);
    assert_eq!(hosts("-host").await, ["3", "2", "1", "4"]);
    let one = server.ask("table/fleet?q=BET").await;
    assert_eq!((&one["matched"], &one["total"]), (&json!(1), &json!(4)));
    let unread = server.ask("table/fleet?f.state=unread").await;
    assert_eq!(unread["rows"][0]["cells"][0], "gamma");
    let csv = server.get("api/v1/table/fleet?format=csv").await;
    assert_eq!(csv.body.lines().count(), 5, "{}", csv.body);
}

#[tokio::test]
async fn the_verdict_over_all_names_what_is_bad_and_is_absent_for_one_host() {
    let database = seeded().await;
    let server = serve(&database);
    assert_eq!(server.ask("now").await.get("fleet"), None);
    add_host(&database, "beta", TICKS).await;
    let two = server.ask("now?host=1").await["fleet"].clone();
    assert_eq!(
        two,
        json!({"hosts": 2, "severity": "ok", "text": "All 2 hosts normal.", "bad": 0, "unread": 0})
    );
    let database = four().await;
    let server = serve(&database);
    let expected = json!({"hosts": 4, "severity": "critical", "bad": 1, "unread": 1,
                          "text": "4 hosts: 1 critical (beta), 1 unread (gamma), 2 normal."});
    for host in 1..=4 {
        let path = format!("now?host={host}");
        assert_eq!(server.ask(&path).await["fleet"], expected, "{path}");
    }
    set(
        &database,
        "findings",
        "resolved_at = seen_at",
        "host_id = 2",
    )
    .await;
    let silent = server.ask("now?host=1").await["fleet"].clone();
    assert_eq!(
        silent["severity"], "unknown",
        "never normal while one is unread"
    );
    for name in ["delta", "epsilon", "zeta"] {
        add_host(&database, name, 30).await;
    }
    let text = server.ask("now?host=1").await["fleet"]["text"].clone();
    assert_eq!(
        text,
        "7 hosts: 4 unread (gamma, delta, epsilon, …), 3 normal."
    );
}

/// Returns verdict, sentence and beginning as the table has them of a host.
fn shown(found: &[Value], id: i64) -> (Value, Value) {
    let id = id.to_string();
    let row = found.iter().find(|row| row["id"] == id.as_str());
    let row = row.unwrap();
    (row["verdict"].clone(), row["since_ms"].clone())
}

#[tokio::test]
async fn a_host_has_the_verdict_of_its_own_page() {
    let database = with_services().await;
    add_host(&database, "beta", TICKS).await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    // What is stored changes without a new sample: each look is that of another server.
    let compare = async || {
        let server = serve(&database);
        let answer = server.ask("table/fleet").await;
        let found = rows(&meta, "fleet", &answer);
        for id in 1..=2 {
            let now = server.ask(&format!("now?host={id}")).await;
            let expected = (
                now["verdict"]["severity"].clone(),
                now["verdict"]["since_ms"].clone(),
            );
            assert_eq!(shown(&found, id), expected, "{} {found:?}", now["verdict"]);
        }
        found
    };
    compare().await;
    // Services of which nothing comes any more, while the host is sampled.
    let late = format!("host_id = 1 AND ts > {}", sql_time(tick(100)));
    for table in [
        "db_metrics_raw",
        "target_metrics_raw",
        "replication_metrics_raw",
    ] {
        let text = format!("DELETE FROM collector.{table} WHERE {late}");
        database.sql(&text).await.unwrap();
    }
    let found = compare().await;
    let row = found.iter().find(|row| row["id"] == "1").unwrap();
    let now = serve(&database).ask("now?host=1").await;
    assert_eq!(row["verdict"], "unknown", "{found:?}");
    assert_eq!(row["problem"], now["verdict"]["text"]);
    let ended = format!(
        "ended_at = {}, outcome = 'stopped'",
        sql_time(tick(TICKS - 1) + 500)
    );
    set(&database, "agent_runs", &ended, "host_id = 2").await;
    let found = compare().await;
    let row = found.iter().find(|row| row["id"] == "2").unwrap();
    assert_eq!(row["problem"], "The collector was stopped");
}

#[tokio::test]
async fn problems_are_those_of_the_page_of_the_host() {
    let database = seeded().await;
    add_host(&database, "beta", TICKS).await;
    let mut findings: Vec<Value> = (0..9)
        .map(|n| {
            let change =
                json!({"host_id": 1 + n % 2, "value": 76.0 + f64::from(n), "threshold": 75.0});
            finding("mount.used_pct", &format!("/m{n}"), "warn", change)
        })
        .collect();
    // Many of one rule are one problem besides the first, and what follows from another problem is none.
    for n in 0..7 {
        let change = json!({"host_id": 2, "domain": "process"});
        findings.push(finding("process_cpu", &format!("p{n}"), "warn", change));
    }
    let follows = json!({"host_id": 2, "cause_rule": "mount.used_pct", "cause_target": "/m1"});
    findings.push(finding("system.load_per_core", "", "critical", follows));
    store_findings(&database, &findings).await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/fleet").await;
    for row in rows(&meta, "fleet", &answer) {
        let id = row["id"].as_str().unwrap();
        let now = server.ask(&format!("now?host={id}")).await;
        let problems = now["problems"].as_array().unwrap();
        assert_eq!(row["problems"], problems.len(), "{problems:?}");
        let worst = problems
            .iter()
            .find(|one| one["severity"] == row["verdict"]);
        assert_eq!(row["problem"], worst.unwrap()["title"], "{row}");
        assert_eq!(row["view"], worst.unwrap()["view"], "{row}");
    }
}

#[tokio::test]
async fn the_state_of_all_hosts_is_read_once_for_all_pages() {
    let database = four().await;
    let settings = Settings {
        share_for: Duration::from_hours(1),
        ..Settings::default()
    };
    let server = serve_with(database.target(), settings);
    let first = server.get("api/v1/table/fleet").await;
    set(
        &database,
        "findings",
        "resolved_at = seen_at",
        "host_id = 2",
    )
    .await;
    let second = server.get("api/v1/table/fleet").await;
    assert_eq!(first.header("etag"), second.header("etag"));
    // The clock moves on: what is shared does not change by itself.
    server
        .clock
        .set(Timestamp::from_millis(tick(TICKS) + 1_000));
    let third = server.get("api/v1/table/fleet").await;
    assert_eq!(first.header("etag"), third.header("etag"));
}

#[tokio::test]
async fn without_a_host_the_table_is_empty() {
    let database = empty().await;
    let server = serve(&database);
    let answer = server.ask("table/fleet").await;
    assert_eq!(answer["total"], 0);
    assert_eq!(server.ask("now").await.get("fleet"), None);
}
