//! The verdict of `now`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, TICKS, add, seeded, serve, serve_target, sql_time, tick};
use serde_json::{Value, json};

/// The fact, the table's cell and the problem of a metric.
fn fact<'a>(now: &'a Value, id: &str) -> &'a Value {
    let facts = now["facts"].as_array().unwrap();
    facts
        .iter()
        .find(|fact| fact["metric"] == id)
        .unwrap_or(&Value::Null)
}

fn problem<'a>(now: &'a Value, id: &str) -> Option<&'a Value> {
    let problems = now["problems"].as_array().unwrap();
    problems.iter().find(|problem| problem["id"] == id)
}

#[tokio::test]
async fn at_every_edge_fact_table_and_problem_agree() {
    let database = seeded().await;
    for (value, severity) in [
        (74.9, "ok"),
        (75.0, "warn"),
        (75.1, "warn"),
        (89.9, "warn"),
        (90.0, "critical"),
        (90.1, "critical"),
    ] {
        database
            .sql(&format!(
                "UPDATE collector.mount_metrics_raw SET usage_pct = {value} WHERE mount = '/var'"
            ))
            .await
            .unwrap();
        let server = serve(&database);
        let now = server.ask("now").await;
        let fact = fact(&now, "mount.used_pct");
        assert_eq!(
            (&fact["key"], &fact["severity"]),
            (&"/var".into(), &severity.into()),
            "{value}"
        );
        let table = server.ask("table/mounts").await;
        let row = table["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == "/var")
            .unwrap();
        assert_eq!(row["cells"][1], fact["value"], "{value}");
        assert_eq!(
            (&row["severities"][1], &row["severity"]),
            (&severity.into(), &severity.into()),
            "{value}"
        );
        let problem = problem(&now, "mount.used_pct@/var");
        assert_eq!(
            problem.map_or("ok", |problem| problem["severity"].as_str().unwrap()),
            severity,
            "{value}"
        );
        let series = server.ask("series?m=mount.used_pct@/var&from=now-1m").await;
        assert_eq!(series["series"][0]["last"], fact["value"], "{value}");
    }
}

#[tokio::test]
async fn a_problem_is_named_with_its_start_and_remedy() {
    let database = seeded().await;
    // From tick 120 on memory is nearly full.
    let full = format!(
        "UPDATE collector.system_metrics_raw SET mem_used = 7296000000 WHERE ts >= {}",
        sql_time(tick(120))
    );
    database.sql(&full).await.unwrap();
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(
        now["verdict"],
        json!({"severity": "critical", "text": "1 problem: memory usage is high: 91.2 % since 22:20.", "since_ms": tick(120)})
    );
    let problem = problem(&now, "system.mem_used_pct").unwrap();
    assert_eq!(problem["since_ms"], tick(120));
    assert_eq!(
        (&problem["value"], &problem["level"]),
        (&json!(91.2), &json!(85.0))
    );
    assert_eq!(
        problem["fix"],
        "See what it does, and whether it can wait or needs a limit:"
    );
    // Every tick has the same processes: the one that holds most memory is named.
    assert_eq!(
        problem["cause"],
        "Most memory: api (PID 102, x.service) with 572.2 MiB."
    );
    assert_eq!(
        problem["command"],
        "ps -o pid,user,etime,%cpu,rss,args -p 102"
    );
    let memory = &now["areas"][1];
    assert_eq!(
        (&memory["id"], &memory["severity"], &memory["count"]),
        (&"memory".into(), &"critical".into(), &1.into())
    );
    assert_eq!(
        now["badges"]["system"],
        json!({"severity": "critical", "count": 1})
    );
    // It stays the same problem with the same start.
    add(&database, TICKS, TICKS + 3).await;
    database.sql(&full).await.unwrap();
    server.set_clock(tick(TICKS + 2) + 1_000);
    let later = server.ask("now").await;
    assert_eq!(later["problems"][0]["since_ms"], tick(120));
}

#[tokio::test]
async fn processes_are_counted_as_the_table_counts_them() {
    let database = seeded().await;
    let server = serve(&database);
    let now = server.ask("now").await;
    // api 102: CPU 55 % and 600 MB; stuck 104: in state D in each tick.
    assert_eq!(
        now["badges"]["processes"],
        json!({"severity": "critical", "count": 2})
    );
    assert_eq!(
        now["verdict"]["text"], "All 6 areas normal.",
        "processes take no part in the verdict"
    );
    let table = server
        .ask("table/processes?f.severity=critical&f.severity=warn&q=x")
        .await;
    let facets = &table["facets"]["severity"];
    assert_eq!(
        (&facets["critical"], &facets["warn"]),
        (&1.into(), &1.into())
    );
    // Once in state D is normal.
    let once = format!(
        "UPDATE collector.process_samples SET state_count = 256 | ascii('S') WHERE process >> 41 = 104 AND ts < {}",
        sql_time(tick(TICKS - 1))
    );
    database.sql(&once).await.unwrap();
    let now = serve(&database).ask("now").await;
    assert_eq!(
        now["badges"]["processes"],
        json!({"severity": "warn", "count": 1})
    );
}

#[tokio::test]
async fn old_data_are_never_good() {
    let database = seeded().await;
    let server = serve(&database);
    let newest = tick(TICKS - 1);
    for (age, state, severity) in [
        (0, "live", "ok"),
        (20_000, "live", "ok"),
        (20_001, "late", "ok"),
        (30_001, "late", "unknown"),
        (60_000, "late", "unknown"),
        (60_001, "stale", "unknown"),
        (86_400_000, "stale", "unknown"),
    ] {
        server.set_clock(newest + age);
        let now = server.ask("now").await;
        assert_eq!(now["freshness"]["state"], state, "{age}");
        assert_eq!(
            now["verdict"]["severity"], severity,
            "{age}: {}",
            now["verdict"]["text"]
        );
        if severity == "unknown" {
            let known = |list: &Value| {
                list.as_array()
                    .unwrap()
                    .iter()
                    .any(|one| one["severity"] != "unknown")
            };
            assert!(!known(&now["facts"]) && !known(&now["areas"]), "{age}");
            assert_eq!(now["agent"]["state"], "silent");
            let text = now["verdict"]["text"].as_str().unwrap();
            assert!(
                text.starts_with("Unknown: the collector has been silent since"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_does_not_keep_data_fresh() {
    let database = seeded().await;
    let server = serve(&database);
    let start = tick(TICKS - 1) - 600_000;
    server.set_clock(start);
    let now = server.ask("now").await;
    assert_eq!(now["freshness"]["state"], "live");
    let clock = problem(&now, "clock").unwrap();
    assert_eq!(
        clock["title"],
        "The host's clock is 10 min ahead of this server's"
    );
    // Nothing new arrives for 70 s: the collector is silent although its newest tick is ahead.
    server.set_clock(start + 70_000);
    let now = server.ask("now").await;
    assert_eq!(now["verdict"]["severity"], "unknown", "{}", now["verdict"]);
    assert_eq!(now["freshness"]["state"], "stale");
}

#[tokio::test]
async fn a_stopped_collector_losses_and_refused_rows_are_reported() {
    let database = seeded().await;
    let at = sql_time(tick(TICKS - 1));
    database
        .sql(&format!(
            "INSERT INTO collector.data_gaps SELECT {at}, 1, 'bulk', {at} - interval '10 min', {at}, 60, 9000, 'overflow' FROM generate_series(1, 2);
             INSERT INTO collector.dead_letter VALUES ({at}, 1, 'process_metrics_raw', '{{}}', '', '{{}}', '22003', 'out of range', {at})"
        ))
        .await
        .unwrap();
    let server = serve(&database);
    let now = server.ask("now").await;
    let titles: Vec<&str> = now["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "2 gaps in the data within the last hour",
            "1 row rejected by the database within the last hour"
        ]
    );
    assert_eq!(
        now["verdict"]["text"],
        "2 problems: 2 gaps in the data within the last hour."
    );
    assert_eq!(
        now["badges"]["collector"],
        json!({"severity": "warn", "count": 2})
    );
    let gaps = server.ask("table/gaps").await;
    assert_eq!(
        gaps["rows"][0]["cells"],
        json!([
            tick(TICKS - 1),
            tick(TICKS - 1) - 600_000,
            tick(TICKS - 1),
            "bulk",
            60,
            9000,
            "overflow"
        ])
    );
    assert_eq!(server.ask("table/dead_letters").await["total"], 1);
    let ended = sql_time(tick(TICKS - 1) + 500);
    database
        .sql(&format!(
            "UPDATE collector.agent_runs SET ended_at = {ended}, outcome = 'stopped'"
        ))
        .await
        .unwrap();
    let now = server.ask("now").await;
    assert_eq!(now["agent"]["state"], "stopped");
    assert_eq!(
        now["verdict"]["text"],
        "Unknown: the collector was stopped at 22:29:50."
    );
    let marks = server.ask("series?m=system.load_1").await["marks"].clone();
    assert_eq!(
        marks[0],
        json!({"at_ms": START - 5_000, "text": "Collector started", "severity": "info"})
    );
    assert_eq!(marks[1]["text"], "Collector stopped");
}

#[tokio::test]
async fn without_a_database_now_answers_from_memory_and_the_rest_reports_it() {
    let server_of = testkit::Server::new().unwrap();
    let target = server_of.target().with_database("postgres");
    testkit::migrate(&target).await.unwrap();
    server_of
        .sql(&format!(
            "{}INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m', 'beta');
             INSERT INTO collector.system_metrics_raw (ts, host_id, load_1) VALUES ({}, 1, 1)",
            testkit::partitions("2026-09-20", "2026-09-20"),
            sql_time(tick(TICKS - 1))
        ))
        .await
        .unwrap();
    let server = serve_target(target);
    let before = server.ask("now").await;
    assert_eq!(before["database"]["state"], "ok");
    server_of.stop(testkit::Stop::Immediate).unwrap();
    let down = server.ask("now").await;
    assert_eq!(down["database"]["state"], "unreachable");
    assert_eq!(down["database"]["since_ms"], tick(TICKS - 1) + 1_000);
    assert_eq!(down["verdict"]["severity"], "unknown");
    assert_eq!(
        down["verdict"]["text"],
        "Unknown: the database has not answered since 22:29:51."
    );
    assert_eq!(
        down["host"]["name"], "beta",
        "what was known stays readable"
    );
    assert!(
        down["facts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|fact| fact["severity"] == "unknown")
    );
    assert_eq!(down["problems"][0]["id"], "database");
    assert_eq!(server.ask("meta").await["hosts"], json!([]));
    for path in [
        "series?m=system.load_1",
        "table/processes",
        "table/settings",
    ] {
        let reply = server.get(&format!("api/v1/{path}")).await;
        assert_eq!(reply.status, 503, "{path}");
        let error = &reply.json()["error"];
        assert_eq!(error["code"], "database_unreachable", "{path}");
        assert_eq!(error["since_ms"], tick(TICKS - 1) + 1_000, "{path}");
    }
    // It comes back by itself.
    server_of.start().unwrap();
    let mut link = server.app.database.watch();
    let up = link.wait_for(|link| *link == web::database::Link::Up);
    tokio::time::timeout(std::time::Duration::from_secs(30), up)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(server.ask("now").await["database"]["state"], "ok");
}
