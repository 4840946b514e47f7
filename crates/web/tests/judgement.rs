//! The verdict of `now`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    START, TICKS, find, finding, seeded, serve, serve_target, sql_time, store_findings, tick,
};
use serde_json::{Value, json};

/// Returns the fact of a metric.
fn fact<'a>(now: &'a Value, id: &str) -> &'a Value {
    find(&now["facts"], "metric", id)
}

fn problem<'a>(now: &'a Value, id: &str) -> Option<&'a Value> {
    let problems = now["problems"].as_array().unwrap();
    problems.iter().find(|problem| problem["id"] == id)
}

#[tokio::test]
async fn at_every_edge_tables_have_the_severity_of_the_catalogue() {
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
        assert_eq!(fact["key"], "/var", "{value}");
        // Whether it is a problem is for the collector to say: it must last.
        assert_eq!(fact["severity"], "ok", "{value}");
        assert_eq!(now["problems"], json!([]), "{value}");
        let table = server.ask("table/mounts").await;
        let row = find(&table["rows"], "id", "/var");
        assert_eq!(row["cells"][1], fact["value"], "{value}");
        assert_eq!(
            (&row["severities"][1], &row["severity"]),
            (&severity.into(), &severity.into()),
            "{value}"
        );
        let series = server.ask("series?m=mount.used_pct@/var&from=now-1m").await;
        assert_eq!(series["series"][0]["last"], fact["value"], "{value}");
    }
}

/// A finding about memory with all that a problem shows.
fn memory() -> Value {
    let change = json!({
        "title": "Memory used", "message": "Memory usage is high: 91.2 %; last 92 %", "value": 91.2, "current_value": 92,
        "threshold": 85, "steps": ["See what it does, and whether it can wait or needs a limit:", "Then rest."],
        "command": "ps -o pid,user,etime,%cpu,rss,args -p 102",
        "details": {"cause": "Most memory: api (PID 102, x.service) with 572.2 MiB."},
    });
    finding("system.mem_used_pct", "", "critical", change)
}

#[tokio::test]
async fn an_open_finding_is_a_problem_with_its_start_cause_and_remedy() {
    let database = seeded().await;
    store_findings(&database, &[memory()]).await;
    let now = serve(&database).ask("now").await;
    let title = "Memory usage is high: 91.2 %; last 92 %";
    assert_eq!(
        now["verdict"],
        json!({"severity": "critical", "text": "1 problem: memory usage is high: 91.2 %; last 92 % since 22:20.", "since_ms": tick(120)})
    );
    assert_eq!(
        now["problems"],
        json!([{
            "id": "system.mem_used_pct", "severity": "critical", "title": title, "metric": "system.mem_used_pct", "key": null,
            "value": 91.2, "current": 92.0, "level": 85.0, "since_ms": tick(120), "as_of_ms": tick(120), "unknown_since_ms": null, "finding": "1",
            "view": "system", "fix": "See what it does, and whether it can wait or needs a limit:",
            "cause": "Most memory: api (PID 102, x.service) with 572.2 MiB.",
            "command": "ps -o pid,user,etime,%cpu,rss,args -p 102", "effects": [],
        }])
    );
    let memory = &now["areas"][1];
    assert_eq!(
        (&memory["id"], &memory["severity"], &memory["count"]),
        (&"memory".into(), &"critical".into(), &1.into())
    );
    assert_eq!(memory["worst"], title);
    assert_eq!(
        now["badges"]["system"],
        json!({"severity": "critical", "count": 1})
    );
    let fact = fact(&now, "system.mem_used_pct");
    assert_eq!(
        (&fact["value"], &fact["severity"]),
        (&json!(50.0), &json!("critical")),
        "the value is the latest one"
    );
}

#[tokio::test]
async fn what_is_pending_ended_or_merely_advice_is_no_problem() {
    let database = seeded().await;
    let metric = "system.cpu_busy_pct";
    store_findings(
        &database,
        &[
            finding(metric, "", "critical", json!({"confirmed_at": null})),
            finding(
                "system.swap_used_pct",
                "",
                "warn",
                json!({"resolved_at": "2026-09-20T22:25:00Z"}),
            ),
            finding(
                "system.load_per_core",
                "",
                "warn",
                json!({"kind": "insight"}),
            ),
            finding(
                "process_cpu",
                "api 102",
                "info",
                json!({"domain": "process"}),
            ),
        ],
    )
    .await;
    let now = serve(&database).ask("now").await;
    assert_eq!(now["problems"], json!([]));
    assert_eq!(now["verdict"]["text"], "All 6 areas normal.");
    assert_eq!(fact(&now, metric)["severity"], "ok");
}

#[tokio::test]
async fn the_badge_of_alerts_counts_effects_too_and_nothing_that_is_no_longer_worth_showing() {
    let database = seeded().await;
    let cause = json!({"cause_rule": "system.cpu_busy_pct", "cause_target": ""});
    store_findings(
        &database,
        &[
            finding("system.cpu_busy_pct", "", "critical", json!({})),
            finding("system.load_per_core", "", "warn", cause),
            finding("system.swap_used_pct", "", "warn", json!({})),
            finding("mount.used_pct", "/var", "info", json!({})),
        ],
    )
    .await;
    let badges = |now: &Value| now["badges"].clone();
    let before = badges(&serve(&database).ask("now").await);
    assert_eq!(
        before["alerts"],
        json!({"severity": "critical", "count": 3})
    );
    assert_eq!(
        before["system"],
        json!({"severity": "critical", "count": 2})
    );
    let expire = format!(
        "UPDATE collector.findings SET expires_at = {} WHERE rule = 'system.swap_used_pct'",
        sql_time(tick(TICKS - 1))
    );
    database.sql(&expire).await.unwrap();
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(
        badges(&now)["alerts"],
        json!({"severity": "critical", "count": 2})
    );
    assert_eq!(problem(&now, "system.swap_used_pct"), None);
    let counts = server.ask("alerts").await["counts"].clone();
    assert_eq!(
        counts[1],
        json!({"severity": "warn", "state": "firing", "count": 1})
    );
    let table = server.ask("table/findings").await;
    assert_eq!(table["total"], 3);
    // Unless it ends: then it is history.
    let end = "UPDATE collector.findings SET resolved_at = expires_at WHERE expires_at IS NOT NULL";
    database.sql(end).await.unwrap();
    let server = serve(&database);
    assert_eq!(server.ask("table/findings").await["total"], 4);
    assert_eq!(server.ask("now").await["ended"][0]["severity"], "warn");
}

#[tokio::test]
async fn a_finding_without_data_says_since_when() {
    let database = seeded().await;
    let change = json!({"unknown_since": "2026-09-20T22:25:00Z"});
    store_findings(
        &database,
        &[finding("system.mem_used_pct", "", "warn", change)],
    )
    .await;
    let now = serve(&database).ask("now").await;
    assert_eq!(now["problems"][0]["unknown_since_ms"], tick(150));
}

#[tokio::test]
async fn alerts_that_ended_within_a_day_are_listed_the_newest_first() {
    let database = seeded().await;
    let ended = |rule: &str, at: &str, change: Value| {
        let mut columns = json!({"resolved_at": at, "severity": "warn", "worst": "critical", "opened_at": "2026-09-19T20:00:00Z"});
        let change = change.as_object().unwrap().clone();
        columns.as_object_mut().unwrap().extend(change);
        finding(rule, "", "critical", columns)
    };
    let cause = json!({"cause_rule": "db.longest_lock_wait_secs", "cause_target": ""});
    let ssh = json!({"domain": "security", "title": "SSH brute force"});
    store_findings(
        &database,
        &[
            ended(
                "db.longest_lock_wait_secs",
                "2026-09-20T22:20:00Z",
                json!({"message": "PID 7 blocks 2 sessions"}),
            ),
            ended("db.conn_waiting", "2026-09-20T22:20:10Z", cause),
            ended("ssh_brute_force", "2026-09-20T22:21:00Z", ssh),
            ended(
                "db.locks_waiting",
                "2026-09-20T22:25:20Z",
                json!({"cause_rule": "db.longest_lock_wait_secs", "cause_target": "", "message": "It went on"}),
            ),
            ended("db.up", "2026-09-19T22:00:00Z", json!({})),
            ended(
                "db.slow_queries",
                "2026-09-20T22:22:00Z",
                json!({"confirmed_at": null}),
            ),
            ended(
                "system.load_per_core",
                "2026-09-20T22:22:00Z",
                json!({"kind": "insight"}),
            ),
            ended(
                "process_cpu",
                "2026-09-20T22:22:00Z",
                json!({"domain": "process", "worst": "info"}),
            ),
        ],
    )
    .await;
    let now = serve(&database).ask("now").await;
    let mut list = now["ended"].clone();
    for one in list.as_array_mut().unwrap() {
        one.as_object_mut().unwrap().remove("id").unwrap();
    }
    let since = START - 26 * 3_600_000;
    assert_eq!(
        list,
        json!([
            {"severity": "critical", "title": "It went on", "since_ms": since, "ended_ms": START + 25 * 60_000 + 20_000, "view": "postgres"},
            {"severity": "critical", "title": "SSH brute force", "since_ms": since, "ended_ms": START + 21 * 60_000, "view": "logs"},
            {"severity": "critical", "title": "PID 7 blocks 2 sessions", "since_ms": since, "ended_ms": START + 20 * 60_000, "view": "postgres"},
        ]),
        "neither what ended with it, nor what was never confirmed, nor what ended before"
    );
    assert_eq!(now["verdict"]["severity"], "ok");
    let many: Vec<Value> = (0..30)
        .map(|minute| {
            let at = format!("2026-09-20T21:{minute:02}:00Z");
            ended("db.deadlocks", &at, json!({"target": format!("d{minute}")}))
        })
        .collect();
    store_findings(&database, &many).await;
    let now = serve(&database).ask("now").await;
    assert_eq!(now["ended"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn processes_have_a_badge_and_no_area() {
    let database = seeded().await;
    let process = |rule: &str, target: &str, severity: &str, message: &str| {
        let change = json!({"domain": "process", "message": message});
        finding(rule, target, severity, change)
    };
    store_findings(
        &database,
        &[
            process(
                "process_missing",
                "nginx",
                "critical",
                "No process nginx is running",
            ),
            process(
                "process_cpu",
                "api 102",
                "warn",
                "api (PID 102) uses 55 % of a core",
            ),
        ],
    )
    .await;
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(
        now["badges"]["processes"],
        json!({"severity": "critical", "count": 2})
    );
    assert_eq!(
        now["verdict"]["text"],
        "2 problems: no process nginx is running since 22:20."
    );
    let missing = problem(&now, "finding.process_missing@nginx").unwrap();
    assert_eq!(missing["view"], "processes");
    let areas = now["areas"].as_array().unwrap().iter();
    assert!(areas.clone().all(|area| area["count"] == 0), "{areas:?}");
    // The table colours every process by the thresholds of the catalogue.
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
    let table = serve(&database)
        .ask("table/processes?f.severity=critical&f.severity=warn&q=x")
        .await;
    assert_eq!(table["facets"]["severity"]["critical"], Value::Null);
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
    assert_eq!(
        now["problems"],
        json!([]),
        "whose clock is wrong is for the collector to say"
    );
    // Nothing new arrives for 70 s: the collector is silent although its newest tick is ahead.
    server.set_clock(start + 70_000);
    let now = server.ask("now").await;
    assert_eq!(now["verdict"]["severity"], "unknown", "{}", now["verdict"]);
    assert_eq!(now["freshness"]["state"], "stale");
}

#[tokio::test]
async fn a_stopped_collector_is_reported_and_its_losses_are_its_own_findings() {
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
    assert_eq!(
        now["problems"],
        json!([]),
        "losses are for the collector to say"
    );
    assert_eq!(now["verdict"]["severity"], "ok");
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
             INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) VALUES (1, gen_random_uuid(), 1, '{{}}');
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

#[tokio::test]
async fn problems_that_began_together_are_one_with_its_likely_cause() {
    let database = seeded().await;
    let of = |more: Value| {
        let mut all = json!({"cause_rule": "correlation", "cause_target": "x"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let message = "File system /srv is 96 % full, likely cause of 3 more problems";
    let incident = json!({
        "kind": "insight", "domain": "correlation", "metric": null, "message": message, "value": 4,
        "steps": ["Remove what is not needed."], "command": "du -x /srv",
        "details": {
            "cause": "Began first.",
            "hypotheses": [{"says": "File system /srv is 96 % full", "evidence": ["began first"], "step": "Remove what is not needed."}],
        },
    });
    let unusual = json!({"kind": "insight", "domain": "process", "metric": "process.cpu_pct"});
    store_findings(
        &database,
        &[
            finding("correlation", "x", "critical", incident),
            finding("mount.used_pct", "/srv", "critical", of(json!({}))),
            finding("unusual.process.cpu_pct", "a", "warn", of(unusual.clone())),
            finding("unusual.process.cpu_pct", "b", "warn", of(unusual.clone())),
            finding("unusual.process.cpu_pct", "c", "warn", of(unusual.clone())),
            // Not part of it: what is unusual by itself is no problem.
            finding("unusual.process.cpu_pct", "d", "warn", unusual),
        ],
    )
    .await;
    let server = serve(&database);
    let now = server.ask("now").await;
    let problems = now["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let only = &problems[0];
    assert_eq!(
        (&only["title"], &only["view"], &only["key"]),
        (&json!(message), &json!("insights"), &json!(null))
    );
    assert_eq!(
        (&only["cause"], &only["command"]),
        (&json!("Began first."), &json!("du -x /srv"))
    );
    // One of a rule is named, and the others are counted.
    assert_eq!(only["effects"].as_array().unwrap().len(), 3, "{only:#?}");
    assert_eq!(now["verdict"]["severity"], "critical");
    let disks = find(&now["areas"], "id", "disks");
    assert_eq!(
        (&disks["severity"], &disks["count"]),
        (&json!("critical"), &json!(0))
    );
    assert_eq!(find(&now["areas"], "id", "collector")["severity"], "ok");
    assert_eq!(now["badges"]["insights"]["count"], 1);

    let table = server.ask("table/findings").await;
    let row = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["cells"][0] == message);
    let cells = row.unwrap()["cells"].as_array().unwrap();
    let listed =
        "File system /srv is 96 % full\n\tbegan first\n\tDo next: Remove what is not needed.";
    assert!(cells.contains(&json!(listed)), "{cells:#?}");

    // It is listed among what ended, and its effects are not.
    let end = "UPDATE collector.findings SET resolved_at = seen_at";
    database.sql(end).await.unwrap();
    let ended = serve(&database).ask("now").await["ended"].clone();
    let titles: Vec<&Value> = ended
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["title"])
        .collect();
    assert_eq!(titles, [&json!(message)]);
}
