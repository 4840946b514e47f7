//! What a supervisor asks: health, readiness, figures.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use common::{Reply, Server, finding, seeded, serve, serve_target, set, store_findings, tick};
use serde_json::json;

/// Asks for a path from the root.
async fn ask(server: &Server, path: &str) -> Reply {
    let request = Request::get(path).header(header::HOST, "localhost");
    server.send(request.body(Body::empty()).unwrap()).await
}

/// Asks for the figures until those of the database are among them: a scrape waits for it a moment only.
async fn figures(server: &Server) -> Reply {
    for _ in 0..200 {
        let reply = ask(server, "/metrics").await;
        if reply.body.contains("pqcrypta_findings_open{") {
            return reply;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the figures of the database never come");
}

#[tokio::test]
async fn it_is_ready_when_the_database_answers_and_its_schema_fits() {
    let database = seeded().await;
    let server = serve(&database);
    for base in ["", "/monitor"] {
        let ready = ask(&server, &format!("{base}/readyz")).await;
        assert_eq!(
            (ready.status.as_u16(), ready.body.as_str()),
            (200, "ready\n")
        );
        assert_eq!(ask(&server, &format!("{base}/healthz")).await.body, "ok\n");
    }
    database
        .sql("insert into collector.schema_migrations values (999, 'future', 'x')")
        .await
        .unwrap();
    let refused = ask(&server, "/readyz").await;
    assert_eq!(refused.status.as_u16(), 503);
    assert!(refused.body.contains("999"), "{}", refused.body);
}

#[tokio::test]
async fn figures_name_hosts_alerts_and_requests() {
    let database = seeded().await;
    set(&database, "hosts", "hostname = 'al\"pha'", "true").await;
    store_findings(
        &database,
        &[finding("system.cpu_busy_pct", "", "critical", json!({}))],
    )
    .await;
    let server = serve(&database);
    server.set_clock(tick(common::TICKS));
    ask(&server, "/monitor/api/v1/meta").await;
    ask(&server, "/monitor/api/v1/nothing").await;
    let reply = figures(&server).await;
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for line in [
        "pqcrypta_monitor_database_up 1",
        "pqcrypta_collector_up{host=\"al\\\"pha\"} 1",
        "pqcrypta_findings_open{host=\"al\\\"pha\",severity=\"critical\"} 1",
        "pqcrypta_findings_open{host=\"al\\\"pha\",severity=\"warn\"} 0",
        "pqcrypta_monitor_request_duration_seconds_count{route=\"/monitor/api/v1/meta\",code=\"200\"} 1",
        "pqcrypta_monitor_event_streams 0",
    ] {
        assert!(
            reply.body.contains(&format!("{line}\n")),
            "{line}\n{}",
            reply.body
        );
    }
    // What strangers ask for makes no series of its own.
    assert!(!reply.body.contains("/nothing"), "{}", reply.body);
    server.set_clock(tick(common::TICKS + 4));
    let late = figures(&server).await.body;
    assert!(
        late.contains("pqcrypta_collector_up{host=\"al\\\"pha\"} 0\n"),
        "{late}"
    );
}

#[tokio::test]
async fn without_a_database_figures_say_so_and_it_is_not_ready() {
    let away = testkit::migrated()
        .await
        .unwrap()
        .target()
        .with_database("absent");
    let server = serve_target(away);
    let refused = ask(&server, "/readyz").await;
    assert_eq!(refused.status.as_u16(), 503);
    let reply = ask(&server, "/metrics").await;
    assert_eq!(reply.status.as_u16(), 200);
    assert!(
        reply.body.contains("pqcrypta_monitor_database_up 0\n"),
        "{}",
        reply.body
    );
    assert!(
        !reply.body.contains("pqcrypta_collector_up"),
        "{}",
        reply.body
    );
}
