//! Every statement is prepared; one of each kind is kept as a snapshot.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::scan::{Kind, Scan};
use super::super::sql::{Source, Statement};
use super::super::{buckets, gaps, latest, newest};
use super::*;

fn ask(limit: i64) -> RangeQuery {
    RangeQuery {
        host_id: 1,
        from: at(0.0),
        to: at(3600.0),
        give_from: at(1800.0),
        key_prefix: None,
        last: true,
        step: 20 * SECOND,
        interval: INTERVAL,
        limit,
        picks: Vec::new(),
    }
}

/// Returns every statement that reads a metric, by name.
fn statements(metric: &'static Metric) -> BTreeMap<&'static str, Statement> {
    let scan = Scan::of(metric);
    let keys = ["12.345".to_owned(), "/var".to_owned()];
    let source = |keys| Source {
        host_id: 1,
        interval: INTERVAL,
        keys,
    };
    let all = source(None);
    let window = Duration::from_secs(u64::from(metric.evaluated_over_secs));
    let mut found = BTreeMap::from([
        ("last", buckets::last_statement(&scan, &all, &ask(8))),
        ("latest", latest::statement(&scan, &all, at(3600.0), window)),
    ]);
    if metric.key.is_some() {
        let chosen = source(Some(&keys));
        found.insert(
            "highest",
            buckets::bucket_statement(&scan, &all, &ask(8), true, None),
        );
        found.insert(
            "chosen",
            buckets::bucket_statement(&scan, &chosen, &ask(8), false, None),
        );
    } else {
        found.insert(
            "single",
            buckets::bucket_statement(&scan, &all, &ask(8), false, None),
        );
    }
    found
}

#[tokio::test]
async fn every_statement_of_every_metric_is_understood() {
    let database = database().await;
    let session = session(&database).await;
    let mut all: Vec<(String, Statement)> = schema::METRICS
        .iter()
        .flat_map(|metric| {
            let named = statements(metric).into_iter();
            named.map(|(kind, sql)| (format!("{} {kind}", metric.id()), sql))
        })
        .collect();
    all.push((
        "gaps".to_owned(),
        gaps::statement(1, at(0.0), at(60.0), INTERVAL),
    ));
    all.push((
        "newest".to_owned(),
        newest::statement(at(0.0), SECOND, at(60.0)),
    ));
    for (name, sql) in all {
        let prepared = session.client.prepare_typed(&sql.text, &sql.types()).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{name}: {error:?}\n{}", sql.text));
        assert_eq!(prepared.params(), sql.types(), "{name}");
    }
}

#[test]
fn statements_read_like_this() {
    let mut text = String::new();
    for (id, kind) in [
        ("system.mem_used_pct", "single"),
        ("system.ctxt_per_sec", "single"),
        ("mount.used_pct", "highest"),
        ("process.rss_bytes", "highest"),
        ("process.read_bytes_per_sec", "highest"),
        ("process_one.cpu_pct", "chosen"),
        ("system.core_busy_pct", "chosen"),
        ("network.errors_per_sec", "latest"),
        ("network.rx_bytes_per_sec", "last"),
        ("db.cache_hit_pct", "latest"),
        ("statement.exec_ms_per_sec", "chosen"),
        ("statement.mean_ms", "highest"),
        ("database.size_bytes", "last"),
    ] {
        let sql = &statements(metric(id))[kind];
        text.push_str(&format!("-- {id}, {kind}\n{}\n\n", sql.text));
    }
    text.push_str(&format!(
        "-- gaps\n{}\n",
        gaps::statement(1, at(0.0), at(60.0), INTERVAL).text
    ));
    insta::assert_snapshot!(text);
}

#[test]
fn values_never_stand_in_the_text() {
    for metric in schema::METRICS {
        for (kind, sql) in statements(metric) {
            for word in ["12.345", "/var", "2026", "now()", "current_timestamp"] {
                assert!(!sql.text.contains(word), "{} {kind}: {word}", metric.id());
            }
        }
    }
}

#[test]
fn rows_are_folded_only_where_several_make_one_value() {
    for (id, folded) in [
        ("system.mem_used_pct", false),
        ("mount.used_pct", false),
        ("process.cpu_pct", true),
    ] {
        assert_eq!(Scan::of(metric(id)).kind, Kind::Level { folded }, "{id}");
    }
}

#[tokio::test]
async fn only_the_partitions_of_the_range_are_read() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-01", "2026-09-30");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    for metric in schema::METRICS {
        for (kind, sql) in statements(metric) {
            let mut explain = sql.clone();
            explain.text = format!(
                "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {}",
                sql.text
            );
            let rows = explain.query(&session.client, kind).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let mut days: Vec<&str> = plan
                .iter()
                .filter(|line| !line.contains("never executed"))
                .filter_map(|line| line.find("_202609").map(|start| &line[start..start + 9]))
                .collect();
            days.sort_unstable();
            days.dedup();
            assert!(
                days.len() <= 1,
                "{} {kind}: {days:?}\n{}",
                metric.id(),
                plan.join("\n")
            );
        }
    }
}

#[tokio::test]
async fn samples_of_a_view_are_found_by_their_window() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-01", "2026-09-02");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    let only_indexes = "SET enable_seqscan = off; SET enable_bitmapscan = off";
    session.client.batch_execute(only_indexes).await.unwrap();
    let of_views = |metric: &&Metric| metric.series.table().samples.is_some();
    for metric in schema::METRICS.iter().filter(of_views) {
        for (kind, sql) in statements(metric) {
            let mut explain = sql.clone();
            explain.text = format!("EXPLAIN (COSTS OFF) {}", sql.text);
            let rows = explain.query(&session.client, kind).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let scans = |at: &usize| {
                let line = &plan[*at];
                line.contains(" on process_samples") && !line.contains("_sealed")
            };
            let scans: Vec<usize> = (0..plan.len()).filter(scans).collect();
            assert!(!scans.is_empty(), "{} {kind}", metric.id());
            for at in scans {
                let is_narrowed = plan[at + 1].contains("Index Cond: ((host_id = ")
                    && plan[at + 1].contains("(date_bin(");
                let text = plan.join("\n");
                assert!(is_narrowed, "{} {kind}, line {at}\n{text}", metric.id());
            }
        }
    }
}
