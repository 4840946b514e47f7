//! Partitions fold under their table, and dropping a new index is not advised.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, rows, serve, sql_time, with_services};
use serde_json::Value;

/// Returns the row of this identifier, its cells by column.
fn row(rows: &[Value], id: &str) -> Value {
    let found = rows.iter().find(|row| row["id"] == id);
    found
        .unwrap_or_else(|| panic!("no {id} in {rows:#?}"))
        .clone()
}

#[tokio::test]
async fn partitions_fold_under_their_table_and_sums_are_right() {
    let database = with_services().await;
    let text = "INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch,
            partition_of, partitions, total_bytes, index_bytes, toast_bytes, n_live_tup, n_dead_tup, vacuum_threshold,
            autovacuum_enabled, seq_scan, n_tup_ins, n_tup_upd, n_tup_del, heap_blks_hit, heap_blks_read)
        SELECT %START% + i * interval '10 s', 1, 'store', 'app', 'public', t, 'e1', p, n, b, b / 4, 0, l, d, 1000, true,
            CASE WHEN d IS NULL THEN 0 ELSE i * 3 END, CASE WHEN d IS NULL THEN 0 ELSE i * 20 END, 0, 0, 0, 0
        FROM generate_series(0, 150, 30) i,
            (VALUES ('log', NULL, 2, 300, 3000, NULL), ('log_1', 'public.log', NULL, 100, 1000, 500),
                    ('log_2', 'public.log', NULL, 200, 2000, 0)) s (t, p, n, b, l, d);
        INSERT INTO collector.index_metrics_raw (ts, host_id, instance, database, schema_name, table_name, index_name, epoch,
            partition_of, size_bytes, idx_scan, idx_tup_read, counted_since, is_unique, is_needed, is_valid, definition)
        SELECT %START% + i * interval '10 s', 1, 'store', 'app', 'public', t, t || '_at', 'e1', 'public.log_at', 50, i, 0,
            %START%, false, true, true, 'CREATE INDEX'
        FROM generate_series(0, 150, 30) i, (VALUES ('log_1'), ('log_2')) s (t);"
        .replace("%START%", &sql_time(START));
    database.sql(&text).await.unwrap();
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let table = rows(&meta, "tables", &server.ask("table/tables").await);
    let log = row(&table, "store.app.public.log");
    let expected = [
        ("table_name", "\"log\""),
        ("partitions", "2"),
        ("total_bytes", "300"),
        ("n_live_tup", "3000"),
        ("n_dead_tup", "500"),
        // Two partitions with 20 rows in 10 s each.
        ("writes_per_sec", "4.0"),
        ("seq_scan_per_sec", "0.6"),
    ];
    for (column, value) in expected {
        assert_eq!(log[column].to_string(), value, "{column}: {log:#?}");
    }
    let of_log = |rows: &[Value]| {
        let ids = rows.iter().map(|row| row["id"].as_str().unwrap());
        ids.filter(|id| id.contains(".log")).count()
    };
    assert_eq!(of_log(&table), 1);
    let needed = rows(
        &meta,
        "vacuum_needed",
        &server.ask("table/vacuum_needed").await,
    );
    row(&needed, "store.app.public.log_1");
    assert_eq!(of_log(&needed), 1, "each partition wants its own vacuum");
    let indexes = rows(&meta, "indexes", &server.ask("table/indexes").await);
    let index = row(&indexes, "store.app.public.log_at");
    assert_eq!(index["size_bytes"].to_string(), "100");
    assert_eq!(index["index_name"], "log_at");
    assert_eq!(of_log(&indexes), 1);
}

#[tokio::test]
async fn a_fresh_index_is_never_to_be_dropped() {
    let database = with_services().await;
    // Name, when it was met first (twice: made anew), since when scans are counted, and whether it may go.
    let cases = [
        ("old", "21 days", "", "21 days", true),
        ("young", "13 days", "", "21 days", false),
        ("anew", "21 days", "2 days", "21 days", false),
        ("reset", "21 days", "", "3 days", false),
        ("uncounted", "21 days", "", "", false),
        ("unmet", "", "", "21 days", false),
    ];
    let ago = |age: &str| match age {
        "" => "NULL::timestamptz".to_owned(),
        age => format!("{} - interval '{age}'", sql_time(START)),
    };
    for (name, met, anew, counted, _) in cases {
        let mut text = format!(
            "INSERT INTO collector.index_metrics_raw (ts, host_id, instance, database, schema_name, table_name, index_name,
                 epoch, size_bytes, idx_scan, idx_tup_read, counted_since, is_unique, is_needed, is_valid, definition)
             VALUES ({} + interval '1500 s', 1, 'store', 'app', 'public', 'orders', '{name}', 'e1', 30000000, 0, 0, {},
                 false, false, true, '');",
            sql_time(START),
            ago(counted)
        );
        for (relation, age) in [(1, met), (2, anew)] {
            if !age.is_empty() {
                text += &format!(
                    "INSERT INTO collector.index_sightings (ts, host_id, instance, database, schema_name, index_name, relation)
                     VALUES ({}, 1, 'store', 'app', 'public', '{name}', {relation});",
                    ago(age)
                );
            }
        }
        database.sql(&text).await.unwrap();
    }
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let unused = rows(
        &meta,
        "unused_indexes",
        &server.ask("table/unused_indexes").await,
    );
    for (name, _, _, _, may_go) in cases {
        let row = row(&unused, &format!("store.app.public.{name}"));
        let command = row["command"].as_str();
        assert_eq!(command.is_some(), may_go, "{name}: {row:#?}");
        let advice = row["advice"].as_str().unwrap();
        assert_eq!(advice.starts_with("Keep it"), !may_go, "{name}: {advice}");
    }
}
