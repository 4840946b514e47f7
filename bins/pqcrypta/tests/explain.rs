//! `pqcrypta explain` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use serde_json::Value;
use testkit::Database;

/// Runs the command on a database; its exit status, output and errors.
fn run(target: &pg::Target, arguments: &[&str]) -> (i32, String, String) {
    let ran = common::run("explain", target, arguments);
    (ran.code, ran.output, ran.errors)
}

/// Creates a database with a host whose processor became busy ten minutes before its newest sample.
async fn busy() -> Database {
    let database = testkit::migrated().await.unwrap();
    let partitions = testkit::partitions("2026-09-20", "2026-09-20");
    let text = format!(
        "{partitions}
         INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m1', 'alpha'), ('m2', 'beta');
         INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, last_ts)
         VALUES (1, '00000000-0000-0000-0000-000000000002', 1, '{{}}', '2026-09-20 10:10+00');
         INSERT INTO collector.system_metrics_raw (ts, host_id, cpu_user, cpu_system, cpu_idle, cpu_iowait, load_1)
         SELECT ts, 1, busy, 0, 100 - busy, 0, 1
         FROM (SELECT ts, CASE WHEN ts > '2026-09-20 10:00+00' THEN 95 ELSE 20 END AS busy
               FROM generate_series('2026-09-20 08:50+00', '2026-09-20 10:10+00', interval '10 s') ts) s;
         INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at,
                                         confirmed_at, seen_at)
         VALUES (1, 'r', E'x\u{1b}[31m', 'alert', 'system', 'critical', 'critical', 'Busy', 'It is busy', ARRAY['Look.'],
                 '2026-09-20 10:01+00', '2026-09-20 10:02+00', '2026-09-20 10:10+00');"
    );
    database.sql(&text).await.unwrap();
    database
}

#[tokio::test]
async fn an_instant_is_explained() {
    let database = busy().await;
    let target = database.target();
    // By default the instant of the newest sample.
    let (status, text, _) = run(&target, &[]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.starts_with("alpha at 2026-09-20 10:10:00 UTC"),
        "{text}"
    );
    assert!(
        text.contains("CPU busy") && text.contains("worse"),
        "{text}"
    );
    assert!(text.contains("It is busy"), "{text}");

    let at = ["--at", "2026-09-20 09:30", "--window", "5m"];
    let (status, text, _) = run(&target, &at);
    assert_eq!(status, 0);
    assert!(text.contains("Window 09:25:00 to 09:35:00"), "{text}");
    assert!(text.contains("series changed."), "{text}");

    let (status, text, _) = run(&target, &["--finding", "1", "--json"]);
    assert_eq!(status, 0);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["finding"]["title"], "It is busy");
    assert_eq!(found["at_ms"], found["finding"]["opened_ms"]);

    let (status, text, _) = run(&target, &["--at", "2026-09-20T10:05:00Z", "--markdown"]);
    assert_eq!(status, 0);
    assert!(
        text.starts_with("# alpha at 2026-09-20 10:05:00 UTC"),
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_explained_has_its_status() {
    let database = busy().await;
    let target = database.target();
    let (status, text, _) = run(&target, &["--at", "2026-09-20 03:00"]);
    assert_eq!(status, 1);
    assert!(
        text.contains("Nothing was sampled in this window."),
        "{text}"
    );
    for (arguments, word) in [
        (["--host", "gamma"], "no host is named gamma"),
        (["--finding", "99"], "no finding 99"),
        (["--at", "soon"], "--at"),
        (["--window", "2h"], "1m to 60m"),
    ] {
        let (status, _, error) = run(&target, &arguments);
        assert_eq!(status, 2, "{arguments:?}");
        assert!(error.contains(word), "{arguments:?}: {error}");
    }
    let away = pg::Target {
        port: 1,
        ..target.clone()
    };
    let (status, text, _) = run(&away, &["--json"]);
    assert_eq!(status, 2);
    assert!(serde_json::from_str::<Value>(&text).unwrap()["error"].is_string());
}
