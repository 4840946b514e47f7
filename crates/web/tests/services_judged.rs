//! The verdict about PostgreSQL and applications.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    START, TICKS, area, find, seeded, serve, set, severity, sql_time, tick, with_services,
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
    let now = serve(&database).ask("now").await;
    // The seeded table with 40 percent of dead rows and the index that was not built are all.
    let mut ids: Vec<&str> = now["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    let table = "table.dead_pct@store.app.public.Log lines";
    assert_eq!(ids, ["index.invalid@store.app.public.orders_half", table]);
    let problem = find(&now["problems"], "id", table);
    assert_eq!(
        problem["title"],
        "40 % of the rows of store.app.public.Log lines are dead"
    );
    assert_eq!(problem["command"], "VACUUM (ANALYZE) public.\"Log lines\";");
    assert_eq!(problem["view"], "tables");
    assert_eq!(problem["since_ms"], START);
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
        json!({"severity": "warn", "count": 2})
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
    // Down for less than a minute raises nothing.
    let short = format!("instance = 'store' AND ts > {}", sql_time(tick(TICKS - 6)));
    set(
        &database,
        "db_metrics_raw",
        "up = false, error = 'connection refused'",
        &short,
    )
    .await;
    assert_eq!(
        severity(&serve(&database).ask("now").await, "db.up@store"),
        "ok"
    );
    set(
        &database,
        "db_metrics_raw",
        "up = false, error = 'connection refused'",
        &format!("instance = 'store' AND {minute}"),
    )
    .await;
    set(
        &database,
        "target_metrics_raw",
        "up = false, error = 'status 503'",
        &format!("target = 'edge' AND {minute}"),
    )
    .await;
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(severity(&now, "db.up@store"), "critical");
    let problem = find(&now["problems"], "id", "db.up@store");
    assert_eq!(problem["title"], "PostgreSQL store does not answer");
    assert_eq!(problem["cause"], "connection refused");
    let target = find(&now["problems"], "id", "target.up@edge");
    assert_eq!(target["cause"], "status 503");
    assert_eq!(problem["since_ms"], tick(TICKS - 6));
    assert_eq!(severity(&now, "db.up@replica"), "ok");
    assert_eq!(severity(&now, "target.up@edge"), "critical");
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
async fn the_session_behind_a_problem_is_named_with_the_command_that_ends_it() {
    let database = with_services().await;
    set(
        &database,
        "db_metrics_raw",
        "conn_waiting = 2, longest_query_secs = 40, oldest_idle_in_xact_secs = 900",
        "instance = 'store'",
    )
    .await;
    let now = serve(&database).ask("now").await;
    let named = "PID 501 (application shop, user web, database app) blocks 2 sessions. It has been idle in a \
                 transaction for 70 s; last statement: UPDATE orders SET note = $1";
    let end = json!("SELECT pg_terminate_backend(501);");
    let waiting = find(&now["problems"], "id", "db.conn_waiting@store");
    assert_eq!(
        waiting["title"],
        "2 sessions are waiting for a lock on store"
    );
    assert_eq!(
        (&waiting["cause"], &waiting["command"]),
        (&json!(named), &end)
    );
    // The longest statement waits for the same session, which is described once.
    let slow = find(&now["problems"], "id", "db.longest_query_secs@store");
    assert_eq!(
        slow["cause"],
        "Same cause as “2 sessions are waiting for a lock on store”."
    );
    assert_eq!(slow["command"], "");
    let idle = find(&now["problems"], "id", "db.oldest_idle_in_xact_secs@store");
    assert_eq!(idle["command"], end);
    // A session that has ended is no longer named, though the window still includes it.
    let gone = "DELETE FROM collector.session_samples_raw";
    database.sql(gone).await.unwrap();
    let now = serve(&database).ask("now").await;
    let waiting = find(&now["problems"], "id", "db.conn_waiting@store");
    assert_eq!(
        (&waiting["cause"], &waiting["command"]),
        (&json!(""), &json!(""))
    );
}

#[tokio::test]
async fn a_role_that_sees_half_is_a_warning_with_the_grant() {
    let database = with_services().await;
    set(&database, "db_blind_spots_raw", "family = 'activity', state = 'denied', message = 'Sessions of others are hidden.', remedy = 'GRANT pg_read_all_stats TO monitor;'", "true").await;
    let server = serve(&database);
    let now = server.ask("now").await;
    let problem = find(&now["problems"], "id", "blind@replica");
    assert_eq!(
        (
            &problem["severity"],
            &problem["title"],
            &problem["command"],
            &problem["view"]
        ),
        (
            &"warn".into(),
            &"1 statistic unavailable on replica: activity".into(),
            &"GRANT pg_read_all_stats TO monitor;".into(),
            &"postgres".into()
        )
    );
    let mine = area(&now, "postgres");
    assert_eq!(
        (&mine["severity"], &mine["count"]),
        (&"warn".into(), &3.into())
    );
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
    assert_eq!(severity(&server.ask("now").await, "blind@replica"), "ok");
    let checks = server.ask("table/checks").await;
    assert_ne!(checks["note"], "");
}

#[tokio::test]
async fn many_bad_tables_hide_nothing_else() {
    let database = with_services().await;
    let many = format!(
        "INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch, n_live_tup, n_dead_tup)
         SELECT {}, 1, 'store', 'app', 'public', 't' || n, 'e1', 60000, 40001 + n FROM generate_series(1, 300) n",
        sql_time(tick(150))
    );
    database.sql(&many).await.unwrap();
    set(
        &database,
        "target_metrics_raw",
        "up = false",
        &format!("target = 'edge' AND ts > {}", sql_time(tick(TICKS - 7))),
    )
    .await;
    // Down is ranked first, though it is the newest.
    set(&database, "api_metrics_raw", "cache_hit_ratio = 90", "true").await;
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(now["problems"][0]["id"], "target.up@edge");
    let cache = &now["problems"][1];
    assert_eq!(
        (&cache["id"], &cache["severity"]),
        (&"api.db_cache_hit_pct@shop".into(), &"critical".into())
    );
    assert!(cache["since_ms"].as_i64() < now["problems"][0]["since_ms"].as_i64());
    let tables: Vec<&str> = now["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .filter(|title| title.starts_with("Dead-row share") || title.ends_with("are dead"))
        .collect();
    assert_eq!(tables.len(), 6);
    assert!(
        tables.contains(&"Dead-row share: 296 more, the worst store.app.public.t295 with 40.2 %"),
        "{tables:?}"
    );
    let facts = find(&now["facts"], "metric", "table.dead_pct");
    assert_eq!(facts["key"], "store.app.public.t300");
    // The table lists them all.
    assert_eq!(server.ask("table/tables").await["total"], 304);
    let page = server
        .ask("table/tables?limit=50&page=6&sort=-dead_pct")
        .await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 4);
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
