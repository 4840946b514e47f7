//! Alerts over known findings and transitions: numbers, lanes, history and heartbeats.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, find, rows, seeded, serve, sql_time};
use serde_json::{Value, json};
use testkit::Database;

async fn with_alerts() -> Database {
    let database = seeded().await;
    let text = include_str!("common/alerts.sql").replace("%START%", &sql_time(START));
    database.sql(&text).await.unwrap();
    database
}

/// The day on which the test's host is sampled.
fn today() -> String {
    format!("today={}", START - 22 * 3_600_000)
}

async fn ask(database: &Database, more: &str) -> Value {
    let server = serve(database);
    server.ask(&format!("alerts?{}{more}", today())).await
}

#[tokio::test]
async fn numbers_are_of_confirmed_findings_and_know_what_ended_when() {
    let database = with_alerts().await;
    let answer = ask(&database, "").await;
    assert_eq!(
        answer["counts"],
        json!([
            {"severity": "critical", "state": "firing", "count": 1},
            {"severity": "warn", "state": "unknown", "count": 1},
            {"severity": "info", "state": "firing", "count": 1},
            {"severity": "critical", "state": "resolved", "count": 1},
            {"severity": "warn", "state": "resolved", "count": 1},
        ]),
        "neither what is pending nor what ended yesterday"
    );
    assert_eq!(
        (&answer["resolved"], &answer["mean_secs"]),
        (&json!(2), &json!(600.0))
    );
    assert_eq!(
        answer["last"],
        json!({"id": "3", "title": "CPU usage is high: 91 %", "at_ms": START + 900_000, "secs": 600.0}),
        "what followed from it ended with it"
    );
    assert_eq!(
        answer["flapping"],
        json!([{"id": "3", "title": "CPU usage is high: 91 %", "severity": "critical", "times": 4}]),
        "opened once and returned three times"
    );
    let two_days = ask(&database, "&from=now-2d").await;
    assert_eq!(two_days["resolved"], 3);
    assert_eq!(two_days["mean_secs"], 1466.667, "(600 + 600 + 3200) / 3");
}

#[tokio::test]
async fn lanes_are_of_rule_and_target_with_changes_of_severity() {
    let database = with_alerts().await;
    let answer = ask(&database, "").await;
    insta::assert_json_snapshot!("alerts_lanes", answer["lanes"]);
    let past = format!("&from={}&to={}", START + 120_000, START + 480_000);
    let past = ask(&database, &past).await;
    let lanes = past["lanes"].as_array().unwrap();
    let names: Vec<&str> = lanes
        .iter()
        .map(|lane| lane["rule"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "advice.disk_full",
            "system.load_per_core",
            "system.cpu_busy_pct"
        ]
    );
}

#[tokio::test]
async fn kinds_can_be_selected_and_parameters_are_checked() {
    let database = with_alerts().await;
    let server = serve(&database);
    let answer = server.ask("alerts?kind=recommendation").await;
    assert_eq!(
        answer["counts"],
        json!([{"severity": "info", "state": "firing", "count": 1}])
    );
    assert_eq!(answer["lanes"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&answer["last"], &answer["flapping"]),
        (&Value::Null, &json!([]))
    );
    let two = server.ask("alerts?kind=recommendation&kind=alert").await;
    assert_eq!(two["lanes"].as_array().unwrap().len(), 5);
    for bad in [
        "alerts?kind=x",
        "alerts?today=x",
        "alerts?from=now&to=now-1h",
        "alerts?host=x",
    ] {
        assert_eq!(
            server.refused(bad).await,
            (400, "bad_request".to_owned()),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn lanes_are_bounded_and_what_is_left_out_is_counted() {
    let database = with_alerts().await;
    let more = format!(
        "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at, confirmed_at, seen_at)
         SELECT 1, 'ssh_brute_force', '10.0.' || i / 250 || '.' || i % 250, 'alert', 'security', 'critical', 'critical',
                'SSH brute force', 'm', ARRAY['Block it.'], {0}, {0}, {0} FROM generate_series(1, 3000) i",
        sql_time(START)
    );
    database.sql(&more).await.unwrap();
    let answer = ask(&database, "").await;
    assert_eq!(answer["lanes"].as_array().unwrap().len(), 60);
    assert_eq!(answer["more_lanes"], 2000 - 60);
    let firing = answer["counts"].as_array().unwrap();
    assert_eq!(
        firing[0],
        json!({"severity": "critical", "state": "firing", "count": 3001})
    );
    let note = |answer: &Value| answer["note"].as_str().unwrap().to_owned();
    let server = serve(&database);
    let all = note(&server.ask("table/findings?from=now-1h").await);
    assert!(all.starts_with("Only 2000 findings are listed"), "{all}");
    let before = server.ask("table/findings?from=now-3h&to=now-2h").await;
    assert_eq!(note(&before), "");
}

#[tokio::test]
async fn the_table_has_value_against_threshold_state_and_what_it_follows_from() {
    let database = with_alerts().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/findings?from=now-1h").await;
    insta::assert_json_snapshot!(
        "alerts_findings",
        json!({"rows": rows(&meta, "findings", &answer), "facets": answer["facets"]})
    );
    let filtered = server
        .ask("table/findings?f.rule=db.locks_waiting&f.state=unknown")
        .await;
    assert_eq!(filtered["matched"], 1);
}

/// A list of a month has what ended in its last week; the timeline has all of it.
#[tokio::test]
async fn what_ended_long_ago_leaves_the_list_and_stays_in_the_timeline() {
    let database = seeded().await;
    let text = format!(
        "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, \
                                         opened_at, confirmed_at, seen_at, resolved_at) \
         SELECT 1, 'system.load_per_core', days::text, 'alert', 'system', 'warn', 'warn', 'Load', '', '{{}}', at, at, at, \
                CASE WHEN days <> 20 THEN at END \
         FROM unnest(ARRAY[6, 8, 20]) days, LATERAL (SELECT {} - days * interval '1 day' AS at) a",
        sql_time(START)
    );
    database.sql(&text).await.unwrap();
    let server = serve(&database);
    let listed = async |range: &str| {
        let answer = server.ask(&format!("table/findings?{range}")).await;
        let left_out = answer["note"].as_str().unwrap().contains("timeline");
        (answer["matched"].as_i64().unwrap(), left_out)
    };
    assert_eq!(
        listed("from=now-30d").await,
        (2, true),
        "the open one and that of six days ago"
    );
    assert_eq!(listed("from=now-7d").await, (2, false));
    assert_eq!(
        listed("from=now-9d&to=now-3d").await,
        (3, false),
        "a look back"
    );
    let lanes = server.ask("alerts?from=now-30d").await;
    assert_eq!(lanes["lanes"].as_array().unwrap().len(), 3);
    common::set(&database, "findings", "resolved_at = NULL", "true").await;
    let server = serve(&database);
    let answer = server.ask("table/findings?from=now-30d").await;
    assert_eq!(
        (&answer["matched"], &answer["note"]),
        (&json!(3), &json!("")),
        "nothing is left out"
    );
}

#[tokio::test]
async fn the_history_of_a_finding_is_its_transitions_or_what_it_knows_itself() {
    let database = with_alerts().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    for (id, name) in [("3", "alerts_history"), ("7", "alerts_history_expired")] {
        let answer = server.ask(&format!("table/finding_history?id={id}")).await;
        insta::assert_json_snapshot!(name, rows(&meta, "finding_history", &answer));
    }
    for unknown in ["999", "x", "", "99999999999999999999"] {
        let answer = server
            .ask(&format!("table/finding_history?id={unknown}"))
            .await;
        assert_eq!(answer["total"], 0, "{unknown}");
    }
}

#[tokio::test]
async fn heartbeats_are_shares_of_the_expected_ones() {
    let database = with_alerts().await;
    // One each 10 s, as the settings of the run report; five minutes of them are missing.
    let text = format!(
        "UPDATE collector.agent_runs SET settings = settings || '{{\"intervals.heartbeat_secs\": [\"10\", \"file\"]}}';
         DELETE FROM collector.heartbeat WHERE ts >= {} AND ts < {};",
        sql_time(START + 600_000),
        sql_time(START + 900_000)
    );
    database.sql(&text).await.unwrap();
    let answer = ask(&database, &format!("&from={START}")).await;
    let strips = answer["heartbeats"].as_array().unwrap();
    assert_eq!(strips.len(), 1);
    let strip = find(&answer["heartbeats"], "component", "collector");
    assert_eq!(
        (&strip["t0_ms"], &strip["step_ms"], &strip["every_secs"]),
        (&json!(START), &json!(20_000), &json!(10.0))
    );
    let shares: Vec<Option<f64>> = serde_json::from_value(strip["shares"].clone()).unwrap();
    assert_eq!(shares.len(), 90);
    assert_eq!(shares[..30], [Some(1.0); 30]);
    assert_eq!(shares[30..45], [Some(0.0); 15]);
    assert_eq!(shares[45..89], [Some(1.0); 44]);
    // Before its first start nothing is expected.
    let earlier = ask(
        &database,
        &format!("&from={}&to={START}", START - 3_600_000),
    )
    .await;
    let strip = find(&earlier["heartbeats"], "component", "collector");
    assert!(
        strip["shares"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_null)
    );
}

#[tokio::test]
async fn without_findings_there_is_nothing_but_heartbeats() {
    let database = seeded().await;
    let answer = ask(&database, "").await;
    for list in ["counts", "flapping", "lanes"] {
        assert_eq!(answer[list], json!([]), "{list}");
    }
    assert_eq!(
        (&answer["last"], &answer["mean_secs"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["heartbeats"].as_array().unwrap().len(), 1);
    let empty = common::empty().await;
    let answer = serve(&empty).ask("alerts").await;
    assert_eq!(answer["heartbeats"], json!([]));
}
