//! `GET snapshot`, `GET compare` and `GET bands`; what they are made of is tested in `crates/snapshot`.

mod common;

use common::{START, empty, finding, seeded, serve, store_findings, tick};
use serde_json::{Value, json};

#[tokio::test]
async fn a_snapshot_is_json_markdown_or_a_file() {
    let database = seeded().await;
    store_findings(
        &database,
        &[finding("system.cpu_busy_pct", "", "warn", json!({}))],
    )
    .await;
    let server = serve(&database);
    let at = tick(120);
    let answer = server
        .ask(&format!("snapshot?at={at}&before=5&after=2"))
        .await;
    let found = &answer["snapshot"];
    assert_eq!(found["host"], "alpha");
    assert_eq!(found["at_ms"], json!(at));
    assert_eq!(found["from_ms"], json!(at - 300_000));
    assert_eq!(found["to_ms"], json!(at + 120_000));
    assert_eq!(found["source"], "raw");
    assert!(
        found["changed"]["compared"].as_u64().unwrap() > 20,
        "{found}"
    );
    assert_eq!(found["notes"], json!([]));
    assert!(
        found["peaks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|peak| peak["metric"] == "system.cpu_busy_pct")
    );

    // Of a finding its beginning is the instant.
    let listed = server
        .ask(&format!("table/findings?from={START}&to={}", tick(180)))
        .await;
    let id = listed["rows"][0]["id"].as_str().unwrap().to_owned();
    let of_finding = server.ask(&format!("snapshot?finding={id}")).await;
    let of_finding = &of_finding["snapshot"];
    assert_eq!(of_finding["finding"]["id"], json!(id));
    assert_eq!(of_finding["at_ms"], of_finding["finding"]["opened_ms"]);

    let markdown = server
        .get(&format!("api/v1/snapshot?at={at}&format=markdown"))
        .await;
    assert_eq!(
        markdown.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    assert!(
        markdown.body.starts_with("# alpha at 2026-09-20"),
        "{}",
        markdown.body
    );
    let file = server
        .get(&format!("api/v1/snapshot?at={at}&format=file"))
        .await;
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename=\"snapshot-")
    );
    let file: Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(file["kind"], "pqcrypta-collector snapshot");
    assert_eq!(file["snapshot"]["at_ms"], json!(at));
    assert!(!file["series"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_does_not_parse_is_refused_by_its_name() {
    let database = seeded().await;
    let server = serve(&database);
    let at = tick(100);
    for (path, status, word) in [
        ("snapshot".to_owned(), 400, "at"),
        ("snapshot?at=soon".to_owned(), 400, "at"),
        (format!("snapshot?at={at}&before=x"), 400, "before"),
        (format!("snapshot?at={at}&before=61"), 400, "from 1 to 60"),
        (format!("snapshot?at={at}&after=0"), 400, "from 1 to 60"),
        (format!("snapshot?at={at}&format=pdf"), 400, "format"),
        (format!("snapshot?at={at}&finding=x"), 400, "finding"),
        ("snapshot?finding=99".to_owned(), 404, "finding"),
        (format!("snapshot?at={at}&metric=no.such"), 404, "metric"),
        (
            format!("snapshot?at={at}&metric=mount.used_pct@%25ff"),
            400,
            "metric",
        ),
        ("compare?from=now-1h".to_owned(), 400, "before_from"),
        (
            "compare?before_from=now-1h&before_to=now-2h".to_owned(),
            400,
            "from",
        ),
        ("bands?m=no.such".to_owned(), 404, "metric"),
    ] {
        let reply = server.get(&format!("api/v1/{path}")).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let message = reply.json()["error"]["message"].to_string();
        assert!(message.contains(word), "{path}: {message}");
    }
}

#[tokio::test]
async fn two_ranges_and_usual_values_are_answered() {
    let database = seeded().await;
    let known = "
        INSERT INTO collector.trend_forecasts (host_id, domain, metric, metric_key, forecast_1h, forecast_6h, forecast_24h, hour_of_week, updated_at)
        VALUES (1, 'system', 'cpu_busy_pct', '', 1, 1, 1, 10, '2026-09-20 22:00+00');
        INSERT INTO collector.baselines VALUES (1, 'system', 'cpu_busy_pct', '', '7d', 30, 10, 15, 20, 30, 40, 45, 9, 168, '2026-01-01', now());";
    database.sql(known).await.unwrap();
    let server = serve(&database);
    let (from, to) = (tick(90), tick(120));
    let before = format!("before_from={}&before_to={}", tick(30), tick(60));
    let answer = server
        .ask(&format!("compare?from={from}&to={to}&{before}"))
        .await;
    assert!(
        answer["comparison"]["changed"]["compared"]
            .as_u64()
            .unwrap()
            > 20
    );
    // Counters that grow steadily do not change.
    assert_eq!(answer["comparison"]["changed"]["rows"], json!([]));

    let bands = format!("bands?m=system.cpu_busy_pct,system.uptime_secs&from={from}&to={to}");
    let answer = server.ask(&bands).await;
    assert_eq!(
        answer["bands"],
        json!([{"metric": "system.cpu_busy_pct", "key": null, "hours": [[START, 15.0, 45.0]]}])
    );
    // What is not scored has none, and neither has a long range.
    let unscored = server.ask("bands?m=system.uptime_secs").await;
    assert_eq!(unscored["bands"], json!([]));
    let long = server.ask("bands?m=system.cpu_busy_pct&from=now-60d").await;
    assert_eq!(long["bands"], json!([]));
}

#[tokio::test]
async fn without_a_host_there_is_nothing_and_no_error() {
    let database = empty().await;
    let server = serve(&database);
    let before = "before_from=now-2h&before_to=now-1h";
    assert_eq!(server.ask("snapshot?at=now").await["snapshot"], Value::Null);
    assert_eq!(
        server.ask(&format!("compare?{before}")).await["comparison"],
        Value::Null
    );
    assert_eq!(
        server.ask("bands?m=system.cpu_busy_pct").await["bands"],
        json!([])
    );
}
