//! Tables of PostgreSQL and of applications over known rows, as snapshots, and what empties mean.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{serve, with_services};
use serde_json::{Value, json};

/// Rows of a table as objects by column, with their severities where there are any.
fn rows(meta: &Value, name: &str, answer: &Value) -> Vec<Value> {
    let tables = meta["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["name"] == name).unwrap();
    let columns = table["columns"].as_array().unwrap();
    let each = |row: &Value| {
        let mut shown = serde_json::Map::new();
        shown.insert("id".to_owned(), row["id"].clone());
        for (at, column) in columns.iter().enumerate() {
            let name = column["id"].as_str().unwrap();
            let cell = &row["cells"][at];
            let value = match row["severities"][at].as_str() {
                None | Some("ok") => cell.clone(),
                Some(severity) => json!(format!("{cell} {severity}")),
            };
            if !cell.is_null() {
                shown.insert(name.to_owned(), value);
            }
        }
        Value::Object(shown)
    };
    answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(each)
        .collect()
}

#[tokio::test]
async fn tables_over_known_rows() {
    let database = with_services().await;
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
