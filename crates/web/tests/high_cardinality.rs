//! The highest of many tables and statements are those of all their values.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{START, Server, TICKS, add, seeded, serve, sql_time, tick};
use serde_json::Value;
use testkit::Database;

/// More than are kept as candidates of a piece.
const TABLES: i64 = 150;
/// Ticks between two slow ones.
const SLOW: i64 = 30;

/// Returns the size of table `n` at slow tick `at`: each is among the largest once and small otherwise, but for
/// a few that are always of some size.
fn size(n: i64, at: i64) -> i64 {
    if n % 50 == 0 {
        return 5_000 + n;
    }
    if n % 6 == at { 1_000_000 + n } else { n }
}

async fn add_tables(database: &Database, at: i64) {
    let rows: Vec<String> = (0..TABLES)
        .map(|n| format!("('main', 'many', 't{n:03}', {})", size(n, at)))
        .chain([("('other', 'many', 'huge', 9000000)").to_owned()])
        .collect();
    let text = format!(
        "INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch, total_bytes)
         SELECT {}, 1, i, d, 'public', t, 'e1', b FROM (VALUES {}) v (i, d, t, b)",
        sql_time(tick(at * SLOW)),
        rows.join(", ")
    );
    database.sql(&text).await.unwrap();
}

async fn prepared() -> Database {
    let database = seeded().await;
    for at in 0..TICKS / SLOW {
        add_tables(&database, at).await;
    }
    database
}

/// Returns each key with its greatest value by bucket.
fn shown(answer: &Value) -> Vec<(String, BTreeMap<i64, f64>)> {
    let (t0, step) = (
        answer["t0_ms"].as_i64().unwrap(),
        answer["step_ms"].as_i64().unwrap(),
    );
    let each = |one: &Value| {
        let values = one["hi"].as_array().unwrap().iter().zip(0i64..);
        let values = values.filter_map(|(value, at)| Some((t0 + at * step, value.as_f64()?)));
        (one["key"].as_str().unwrap().to_owned(), values.collect())
    };
    let series = answer["series"].as_array().unwrap();
    series.iter().map(each).collect()
}

async fn ask(server: &Server, more: &str) -> Value {
    let answer = server
        .ask(&format!(
            "series?m=table.total_bytes&from=now-30m&px=60{more}"
        ))
        .await;
    assert_eq!(answer["errors"], Value::Array(Vec::new()));
    answer
}

/// Computes the answer from all values of `main`.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn expected(
    slow: std::ops::Range<i64>,
    limit: usize,
    step: i64,
) -> Vec<(String, BTreeMap<i64, f64>)> {
    let peak = |n: i64| slow.clone().map(|at| size(n, at)).max().unwrap();
    let mut numbers: Vec<i64> = (0..TABLES).collect();
    numbers.sort_by_key(|n| (-peak(*n), *n));
    let each = |n: &i64| {
        let values = slow.clone().map(|at| {
            let bucket = tick(at * SLOW).div_euclid(step) * step;
            (bucket, size(*n, at) as f64)
        });
        (format!("main.many.public.t{n:03}"), values.collect())
    };
    numbers.iter().take(limit).map(each).collect()
}

#[tokio::test]
async fn the_highest_of_many_are_those_of_all_with_every_bucket() {
    let database = prepared().await;
    for limit in [1, 8, 64] {
        // New to the server's memory, and remembered.
        let server = serve(&database);
        for _ in 0..2 {
            let answer = ask(&server, &format!("&key_prefix=main&limit={limit}")).await;
            let step = answer["step_ms"].as_i64().unwrap();
            assert_eq!(shown(&answer), expected(0..6, limit, step), "{limit}");
        }
    }
    let all = ask(&serve(&database), "&limit=1").await;
    assert_eq!(shown(&all)[0].0, "other.many.public.huge");
}

#[tokio::test]
async fn what_comes_later_is_ranked_with_the_rest() {
    let database = prepared().await;
    let server = serve(&database);
    let mut asked = vec![ask(&server, "&key_prefix=main&limit=8").await];
    // Six slow ticks later another table is the largest, and the first have left the range.
    for at in TICKS / SLOW..TICKS / SLOW + 8 {
        add(&database, at * SLOW, (at + 1) * SLOW).await;
        add_tables(&database, at).await;
        server.set_clock(tick((at + 1) * SLOW - 1) + 1_000);
        let cursor = asked[asked.len() - 1]["cursor"]
            .as_str()
            .unwrap()
            .to_owned();
        let answer = ask(&server, "&key_prefix=main&limit=8").await;
        let fresh = serve(&database);
        fresh.set_clock(tick((at + 1) * SLOW - 1) + 1_000);
        let whole = ask(&fresh, "&key_prefix=main&limit=8").await;
        // The peak of a piece that lies across the start of the range still counts for a while: the
        // newest answer may rank it, but what it shows of a key is all there is.
        let truth: BTreeMap<_, _> = shown(&ask(&fresh, "&key_prefix=main&limit=64").await)
            .into_iter()
            .collect();
        for (key, values) in shown(&answer).into_iter().chain(shown(&whole)) {
            if let Some(known) = truth.get(&key) {
                assert_eq!(&values, known, "{key} at {at}");
            }
        }
        assert_eq!(shown(&answer).len(), 8);
        let continued = ask(&server, &format!("&key_prefix=main&limit=8&since={cursor}")).await;
        if continued["partial"] == true {
            let keys = |answer: &Value| -> Vec<String> {
                shown(answer).into_iter().map(|(key, _)| key).collect()
            };
            assert_eq!(keys(&continued), keys(&answer));
        }
        asked.push(answer);
    }
    assert!(START < asked[asked.len() - 1]["t0_ms"].as_i64().unwrap());
}
