//! The verdict about PostgreSQL and applications.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    START, TICKS, area, find, finding, seeded, serve, set, sql_time, store_findings, tick,
    with_services,
};
use serde_json::{Value, json};

/// What is sampled with every tick of services.
const EVERY_TICK: [&str; 6] = [
    "db_metrics_raw",
    "database_metrics_raw",
    "replication_metrics_raw",
    "target_metrics_raw",
    "api_metrics_raw",
    "proxy_metrics_raw",
];

#[tokio::test]
async fn services_that_are_well_are_good_and_those_not_there_are_absent() {
    let database = with_services().await;
    let table = "store.app.public.Log lines";
    let change = json!({"action_sql": "VACUUM (ANALYZE) \"public\".\"Log lines\";"});
    let bloated = finding("table.dead_pct", table, "warn", change);
    store_findings(&database, &[bloated]).await;
    let now = serve(&database).ask("now").await;
    let problem = &now["problems"][0];
    assert_eq!(problem["id"], "table.dead_pct@store.app.public.Log lines");
    assert_eq!(
        problem["command"],
        "VACUUM (ANALYZE) \"public\".\"Log lines\";"
    );
    assert_eq!(problem["view"], "tables");
    assert_eq!(area(&now, "postgres")["severity"], "warn");
    for id in ["replication", "api", "proxy"] {
        let area = area(&now, id);
        assert_eq!(
            (&area["present"], &area["severity"]),
            (&true.into(), &"ok".into()),
            "{id}"
        );
    }
    assert_eq!(
        now["badges"]["tables"],
        json!({"severity": "warn", "count": 1})
    );
    // Without any of them a host is not worse.
    let database = seeded().await;
    let now = serve(&database).ask("now").await;
    assert_eq!(now["verdict"]["text"], "All 6 areas normal.");
    for id in ["postgres", "replication", "api", "proxy"] {
        let area = area(&now, id);
        assert_eq!(
            (&area["present"], &area["severity"]),
            (&false.into(), &"ok".into()),
            "{id}"
        );
    }
}

#[tokio::test]
async fn what_is_down_is_critical_and_what_went_silent_is_unknown() {
    let database = with_services().await;
    let minute = format!("ts > {}", sql_time(tick(TICKS - 7)));
    for (table, which) in [
        ("db_metrics_raw", "instance = 'store'"),
        ("target_metrics_raw", "target = 'edge'"),
    ] {
        set(
            &database,
            table,
            "up = false",
            &format!("{which} AND {minute}"),
        )
        .await;
    }
    let cause = json!({"details": {"cause": "connection refused"}});
    store_findings(
        &database,
        &[
            finding("db.up", "store", "critical", cause),
            finding("target.up", "edge", "critical", json!({})),
        ],
    )
    .await;
    let server = serve(&database);
    let now = server.ask("now").await;
    let problem = find(&now["problems"], "id", "db.up@store");
    assert_eq!(problem["cause"], "connection refused");
    assert_eq!(area(&now, "proxy")["severity"], "critical");
    assert_eq!(area(&now, "api")["severity"], "ok", "the API answers");
    let servers = server.ask("table/db_servers?sort=instance").await;
    assert_eq!(
        (
            &servers["rows"][1]["cells"][1],
            &servers["rows"][1]["severity"]
        ),
        (&false.into(), &"critical".into())
    );
    let targets = server.ask("table/targets?sort=target").await;
    assert_eq!(targets["rows"][0]["severity"], "critical");
    // They report no data any more, while the host goes on.
    set(
        &database,
        "findings",
        "resolved_at = now(), transition_at = now()",
        "true",
    )
    .await;
    for table in EVERY_TICK {
        database
            .sql(&format!(
                "DELETE FROM collector.{table} WHERE ts > {}",
                sql_time(tick(60))
            ))
            .await
            .unwrap();
    }
    for table in [
        "table_metrics_raw",
        "index_metrics_raw",
        "statement_store_raw",
        "io_metrics_raw",
        "subscription_metrics_raw",
    ] {
        database
            .sql(&format!("DELETE FROM collector.{table}"))
            .await
            .unwrap();
    }
    let now = serve(&database).ask("now").await;
    assert_eq!(now["verdict"]["severity"], "unknown");
    assert_eq!(
        now["verdict"]["text"],
        "Unknown: no data for PostgreSQL, Replication, API, Proxy; everything else is normal."
    );
    // Not sampled since the agent's start: not configured.
    set(
        &database,
        "agent_runs",
        &format!("started_at = {}", sql_time(tick(100))),
        "true",
    )
    .await;
    assert_eq!(
        serve(&database).ask("now").await["verdict"]["text"],
        "All 6 areas normal."
    );
}

#[tokio::test]
async fn what_has_one_cause_is_one_problem_with_its_effects() {
    let database = with_services().await;
    let lock = "db.longest_lock_wait_secs";
    let named = "PID 501 (psql, user app) blocks 2 sessions on orders for 45 s";
    let follows = |rule: &str, severity: &str| {
        let change = json!({"cause_rule": lock, "cause_target": "store"});
        finding(rule, "store", severity, change)
    };
    let end = json!({"message": named, "action_sql": "SELECT pg_terminate_backend(501);"});
    store_findings(
        &database,
        &[
            follows("db.conn_waiting", "critical"),
            finding(lock, "store", "warn", end),
            follows("db.slow_queries", "warn"),
            finding(
                "api.error_pct",
                "shop",
                "warn",
                json!({"cause_rule": lock, "cause_target": "store", "domain": "api"}),
            ),
            // Not confirmed: it explains nothing yet.
            finding(
                "target.up",
                "edge",
                "critical",
                json!({"confirmed_at": null}),
            ),
            finding(
                "proxy.error_pct",
                "edge",
                "warn",
                json!({"cause_rule": "target.up", "cause_target": "edge"}),
            ),
        ],
    )
    .await;
    let now = serve(&database).ask("now").await;
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        ids(&now["problems"]),
        ["db.longest_lock_wait_secs@store", "proxy.error_pct@edge"]
    );
    let problem = &now["problems"][0];
    assert_eq!(
        (&problem["title"], &problem["severity"], &problem["command"]),
        (
            &json!(named),
            &json!("critical"),
            &json!("SELECT pg_terminate_backend(501);")
        ),
        "as severe as its worst effect"
    );
    assert_eq!(
        ids(&problem["effects"]),
        [
            "db.conn_waiting@store",
            "api.error_pct@shop",
            "db.slow_queries@store"
        ]
    );
    // An effect colours its area, and is not counted again.
    let api = area(&now, "api");
    assert_eq!(
        (&api["severity"], &api["count"]),
        (&json!("warn"), &json!(0))
    );
    assert_eq!(
        now["badges"]["postgres"],
        json!({"severity": "critical", "count": 1})
    );
    let fact = find(&now["facts"], "metric", lock);
    assert_ne!(fact["severity"], "critical", "its own severity");
}

#[tokio::test]
async fn a_table_without_rows_names_the_grant_that_is_missing() {
    let database = with_services().await;
    set(&database, "db_blind_spots_raw", "family = 'activity', state = 'denied', message = 'Sessions of others are hidden.', remedy = 'GRANT pg_read_all_stats TO monitor;'", "true").await;
    let server = serve(&database);
    let sessions = server.ask("table/sessions").await;
    assert_eq!(
        sessions["note"],
        "replica: Sessions of others are hidden. GRANT pg_read_all_stats TO monitor;"
    );
    assert_eq!(server.ask("table/tables").await["note"], "");
    // A check with a grant of its own affects no other figure.
    set(
        &database,
        "db_blind_spots_raw",
        "family = 'wal_dir'",
        "true",
    )
    .await;
    let server = serve(&database);
    let checks = server.ask("table/checks").await;
    assert_ne!(checks["note"], "");
}

#[tokio::test]
async fn many_bad_tables_hide_nothing_else() {
    let database = with_services().await;
    let change = |value: f64| json!({"value": value, "title": "Dead-row share"});
    let mut found: Vec<Value> = (1..=100)
        .map(|n| {
            let table = format!("store.app.public.t{n}");
            finding(
                "table.dead_pct",
                &table,
                "warn",
                change(40.0 + f64::from(n) / 10.0),
            )
        })
        .collect();
    // The collector names a hundred, and counts the others.
    let others = json!({"details": {"more": 200}, "title": "Dead-row share"});
    found.push(finding("table.dead_pct", "*", "warn", others));
    let newest = json!({"opened_at": "2026-09-20T22:29:00Z"});
    found.push(finding("target.up", "edge", "critical", newest));
    // Here a low value is the worse.
    for n in 1..=8 {
        let change = json!({"value": 90 - n, "title": "Cache hits"});
        let one = finding(
            "api.db_cache_hit_pct",
            &format!("shop{n}"),
            "critical",
            change,
        );
        found.push(one);
    }
    store_findings(&database, &found).await;
    let now = serve(&database).ask("now").await;
    let problems = now["problems"].as_array().unwrap();
    // Down is ranked first, though it is the newest.
    assert_eq!(problems[0]["id"], "target.up@edge");
    assert_eq!(problems[1]["id"], "api.db_cache_hit_pct@shop4");
    let titles = |word: &str| -> Vec<&str> {
        let titles = problems.iter().map(|one| one["title"].as_str().unwrap());
        titles.filter(|title| title.contains(word)).collect()
    };
    assert_eq!(titles("table.dead_pct").len(), 5);
    assert_eq!(
        titles("more"),
        [
            "Cache hits: 3 more, the worst shop3 with 87 %",
            "Dead-row share: 295 more, the worst store.app.public.t95 with 49.5 %"
        ]
    );
    assert!(
        find(
            &now["problems"],
            "id",
            "table.dead_pct@store.app.public.t100"
        )
        .is_object()
    );
}

#[tokio::test]
async fn the_verdict_names_what_decides_it() {
    let database = with_services().await;
    // More users notice it, so it comes first, but it is a warning.
    let errors = json!({"message": "2 % of the requests to edge fail"});
    let busy = json!({"message": "CPU usage is high"});
    let found = [
        finding("api.error_pct", "edge", "warn", errors),
        finding("system.cpu_busy_pct", "", "critical", busy),
    ];
    store_findings(&database, &found).await;
    let now = serve(&database).ask("now").await;
    assert_eq!(now["problems"][0]["id"], "api.error_pct@edge");
    assert_eq!(now["verdict"]["severity"], "critical");
    let text = now["verdict"]["text"].as_str().unwrap();
    assert!(text.starts_with("2 problems: CPU usage is high"), "{text}");
}

#[tokio::test]
async fn slow_samples_are_found_and_continued() {
    let database = with_services().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    for (id, secs) in [
        ("table.dead_pct", 300),
        ("database.size_bytes", 300),
        ("db.conn_total", 0),
        ("system.load_1", 0),
    ] {
        assert_eq!(find(&meta["metrics"], "id", id)["every_secs"], secs, "{id}");
    }
    let first = server
        .ask("series?m=table.total_bytes,database.size_bytes&from=now-30m&limit=1")
        .await;
    let of = |answer: &Value, at: usize| answer["series"][at]["last"].clone();
    assert_eq!(
        (of(&first, 0), of(&first, 1)),
        (json!(800_000_000.0), json!(1_000_150_000.0))
    );
    // A row of the slow tick arrives a minute late, within the same tick of the host.
    let late = format!(
        "INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch, total_bytes)
         VALUES ({}, 1, 'store', 'app', 'public', 'orders', 'e1', 900000000)",
        sql_time(tick(TICKS - 4))
    );
    database.sql(&late).await.unwrap();
    common::add(&database, TICKS, TICKS + 1).await;
    server.set_clock(tick(TICKS) + 1_000);
    let cursor = first["cursor"].as_str().unwrap();
    let next = server
        .ask(&format!(
            "series?m=table.total_bytes,database.size_bytes&from=now-30m&limit=1&since={cursor}"
        ))
        .await;
    assert_eq!(next["partial"], true);
    assert_eq!(of(&next, 0), json!(900_000_000.0));
}

#[tokio::test]
async fn services_sampled_once_a_minute_are_evaluated_all_the_same() {
    let database = with_services().await;
    let settings = "settings = settings || '{\"intervals.app_secs\": [\"60\", \"file\"]}'";
    set(&database, "agent_runs", settings, "true").await;
    for table in EVERY_TICK {
        let rarely = format!(
            "DELETE FROM collector.{table} WHERE extract(epoch FROM ts - {})::int8 % 60 <> 30",
            sql_time(START)
        );
        database.sql(&rarely).await.unwrap();
    }
    let server = serve(&database);
    let now = server.ask("now").await;
    for id in ["postgres", "replication", "api", "proxy"] {
        assert_ne!(area(&now, id)["severity"], "unknown", "{id}");
    }
    for metric in ["db.up", "db.cache_hit_pct", "api.error_pct", "target.up"] {
        assert_ne!(
            find(&now["facts"], "metric", metric)["value"],
            Value::Null,
            "{metric}"
        );
    }
    let series = server
        .ask("series?m=api.requests_per_sec@shop&from=now-30m")
        .await;
    assert_eq!(series["series"][0]["last"], json!(100.0));
    assert_eq!(server.ask("table/targets").await["total"], 2);
}
