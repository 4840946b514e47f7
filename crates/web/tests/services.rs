//! Tables of PostgreSQL and of applications over known rows, as snapshots, and what empties mean.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{rows, serve, with_services};
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use web::tables::{Source, VIEWS};

#[tokio::test]
async fn tables_over_known_rows() {
    let database = with_services().await;
    // What the collector concluded from settings.
    database
        .sql(
            "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at, confirmed_at, seen_at)
             SELECT 1, r, t, k, 'db', v, v, r, t, ARRAY[s], now(), now(), now()
             FROM (VALUES ('check.settings_advice', 'store.track_io_timing', 'recommendation', 'info', 'Times of reads and writes are unknown: switch it on.'),
                          ('check.settings', 'store.shared_buffers', 'alert', 'warn', 'Restart the server when it may be interrupted, or set it back.')
             ) s (r, t, k, v, s)",
        )
        .await
        .unwrap();
    let server = serve(&database);
    let meta = server.ask("meta").await;
    for (name, asked) in [
        ("db_servers", ""),
        ("databases", ""),
        ("sessions", ""),
        ("blocking", ""),
        ("settings_db", ""),
        ("blind_spots", ""),
        ("tables", ""),
        ("vacuum_needed", ""),
        ("indexes", ""),
        ("unused_indexes", ""),
        ("statements", "?from=now-30m"),
        ("statement_detail", "?from=now-30m&id=store.app.11"),
        ("io", "?from=now-30m"),
        ("replication", ""),
        ("subscriptions", ""),
        ("checks", ""),
        ("endpoints", "?from=now-30m"),
        ("failures", ""),
        ("targets", ""),
    ] {
        let answer = server.ask(&format!("table/{name}{asked}")).await;
        let shown = json!({
            "rows": rows(&meta, name, &answer),
            "facets": answer["facets"],
            "sums": answer["sums"],
            "note": answer["note"],
        });
        insta::assert_json_snapshot!(name, shown);
    }
}

#[tokio::test]
async fn statements_and_columns_find_each_other() {
    let database = common::empty().await;
    let session = pg::connect(&database.target(), &pg::SessionOptions::reader(), "test")
        .await
        .unwrap();
    for view in VIEWS {
        let Source::Stored(stored) = view.source else {
            continue;
        };
        let mut types = vec![Type::INT4, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ];
        types.extend(stored.detail.then_some(Type::TEXT));
        for threshold in stored.thresholds {
            assert!(threshold.value().is_some(), "{}: {threshold:?}", view.name);
            types.push(Type::FLOAT8);
        }
        let sql = store::series::steps::expand(stored.sql);
        let (from, to) = (schema::Timestamp(0), schema::Timestamp(1));
        let parts = store::sums::parts(&session.client, 1, 10_000_000, from, to).await;
        let (sql, instants) = parts.unwrap().expand(&sql, types.len());
        types.extend(instants.iter().map(|_| Type::TIMESTAMPTZ));
        let prepared = session.client.prepare_typed(&sql, &types).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error:?}", view.name));
        let given: Vec<&str> = prepared.columns().iter().map(|one| one.name()).collect();
        assert!(given.contains(&"id"), "{}", view.name);
        let is_column = |name: &str| view.columns.iter().any(|column| column.id == name);
        let is_filter = |name: &str| view.filters.iter().any(|filter| filter.id == name);
        for column in view.columns {
            let found = given.contains(&column.id) || column.metric.is_some();
            assert!(found, "{}: no statement returns {}", view.name, column.id);
        }
        for filter in view.filters {
            let tag = format!("tag_{}", filter.id);
            let found = given.contains(&filter.id) || given.contains(&&*tag);
            assert!(found, "{}: no statement returns {}", view.name, filter.id);
        }
        for name in given.iter().filter(|name| **name != "id") {
            let wanted = match (name.strip_prefix("sev_"), name.strip_prefix("tag_")) {
                (Some(column), _) => is_column(column),
                (_, Some(filter)) => is_filter(filter),
                _ => is_column(name),
            };
            assert!(wanted, "{}: no column uses {name}", view.name);
        }
    }
    session.close(std::time::Duration::from_secs(5)).await;
}

/// Reads key and last value of each series.
async fn series(server: &common::Server, asked: &str) -> Vec<(String, Value)> {
    let answer = server.ask(&format!("series?{asked}&from=now-20m")).await;
    let each = |one: &Value| {
        let key = one["key"].as_str().unwrap_or_default().to_owned();
        (key, one["last"].clone())
    };
    answer["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(each)
        .collect()
}

#[tokio::test]
async fn the_highest_keys_are_those_within_one_server() {
    let database = with_services().await;
    let server = serve(&database);
    let keys = async |asked: &str| -> Vec<String> {
        let found = series(&server, asked).await;
        found.into_iter().map(|(key, _)| key).collect()
    };
    let all = keys("m=database.backends").await;
    assert_eq!(all, ["replica.app", "store.app", "store.other"]);
    for (within, limit, expected) in [
        ("store", 8, &["store.app", "store.other"][..]),
        ("store", 1, &["store.app"]),
        ("replica", 1, &["replica.app"]),
        ("store.other", 8, &["store.other"]),
        // Neither a part of a name nor an unknown name.
        ("stor", 8, &[]),
        ("store.", 8, &[]),
        ("", 8, &[]),
    ] {
        let asked = format!("m=database.backends&key_prefix={within}&limit={limit}");
        assert_eq!(keys(&asked).await, expected, "{asked}");
    }
    // A key that was chosen, and a metric without keys, are asked for by name.
    let asked = "m=database.backends@replica.app,system.load_1&key_prefix=store";
    assert_eq!(keys(asked).await, ["replica.app", ""]);
}

#[tokio::test]
async fn what_is_continued_within_one_server_stays_within_it() {
    let database = with_services().await;
    let server = serve(&database);
    let asked = "series?m=database.backends&key_prefix=store&from=now-20m";
    let first = server.ask(asked).await;
    common::add(&database, common::TICKS, common::TICKS + 1).await;
    server.set_clock(common::tick(common::TICKS) + 1_000);
    let cursor = first["cursor"].as_str().unwrap();
    let next = server.ask(&format!("{asked}&since={cursor}")).await;
    assert_eq!(next["partial"], true);
    assert_eq!(next["series"].as_array().unwrap().len(), 2);
    // The cursor of another choice continues nothing.
    let other = server
        .ask(&format!(
            "series?m=database.backends&from=now-20m&since={cursor}"
        ))
        .await;
    assert_eq!(other["partial"], false);
}

#[tokio::test]
async fn shares_within_a_bound_are_those_of_the_histogram() {
    let database = with_services().await;
    let server = serve(&database);
    let found = series(&server, "m=target.within_pct&key_prefix=shop").await;
    let expected = [
        ("shop.+Inf", 100.0),
        ("shop.250", 95.0),
        ("shop.25", 80.0),
        ("shop.2.5", 10.0),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), json!(value)));
    assert_eq!(found, expected);
    // Without the bucket of all answers there is no share.
    assert_eq!(
        series(&server, "m=target.within_pct&key_prefix=edge").await,
        []
    );
    // A target that began anew has had no answers yet, rather than a negative number.
    let text = format!(
        "UPDATE collector.latency_buckets_raw SET responses = 0, all_responses = 0 WHERE ts >= {}",
        common::sql_time(common::tick(common::TICKS - 1))
    );
    database.sql(&text).await.unwrap();
    let found = series(&serve(&database), "m=target.within_pct@shop.25").await;
    assert_eq!(found, [("shop.25".to_owned(), Value::Null)]);
}

#[tokio::test]
async fn services_whose_samples_are_gone_are_known_by_name() {
    let database = with_services().await;
    let kept = "insert into collector.rollup_layouts (host_id, layout, metrics) values \
            (1, 1, '{db.up}'), (1, 2, '{target.up}'), (1, 3, '{proxy.requests_per_sec}'); \
        select collector.ensure_partition('metric_days', date '2026-03-05'), collector.ensure_partition('metric_hours', date '2026-08-20'); \
        insert into collector.metric_days (bucket, host_id, layout, key, stats) \
        select '2026-03-05 00:00Z'::timestamptz, 1, l, k, array[array[1, 1, 1, 8640, 1]]::float8[] \
        from (values (1, 'old'), (2, 'gate'), (3, 'gate')) v (l, k); \
        insert into collector.metric_hours (bucket, host_id, layout, key, stats) \
        select '2026-08-20 07:00Z'::timestamptz, 1, 1, 'older', array[array[1, 1, 1, 360, 1]]::float8[]";
    database.sql(kept).await.unwrap();
    let server = serve(&database);
    let names = async |path: &str| -> Vec<String> {
        let answer = server.ask(path).await;
        let rows = answer["rows"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["cells"][0].to_string() + &row["cells"][1].to_string())
            .collect()
    };
    let at = |day: &str, hour: i64| {
        let day: jiff::Timestamp = format!("{day}T00:30:00Z").parse().unwrap();
        day.as_millisecond() + hour * 3_600_000
    };
    let day = at("2026-03-05", 9);
    let found = names(&format!("table/db_servers?at={day}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("\"old\""), "{found:?}");
    assert_eq!(
        names(&format!("table/targets?at={day}")).await,
        ["\"gate\"\"proxy\""]
    );
    let hour = names(&format!("table/db_servers?at={}", at("2026-08-20", 7))).await;
    assert!(hour[0].starts_with("\"older\""), "{hour:?}");
    // Where there are samples, nothing else counts.
    assert_eq!(names("table/db_servers").await.len(), 2);
    let before = names(&format!("table/db_servers?at={}", at("2026-08-20", 8))).await;
    assert!(before.is_empty(), "{before:?}");
}
