//! Sealing a day changes no answer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{serve, with_services};
use testkit::Database;

/// Returns the answer of every table, and of a chart of every metric.
async fn answers(database: &Database) -> BTreeMap<String, String> {
    let server = serve(database);
    let meta = server.ask("meta").await;
    let names = |list: &str| -> Vec<String> {
        let list = meta[list].as_array().unwrap().iter();
        list.map(|one| {
            one["id"]
                .as_str()
                .or(one["name"].as_str())
                .unwrap()
                .to_owned()
        })
        .collect()
    };
    let mut paths: Vec<String> = names("tables")
        .iter()
        .map(|name| format!("table/{name}?limit=200"))
        .collect();
    let metrics = names("metrics");
    paths.extend(
        metrics
            .iter()
            .map(|id| format!("series?m={id}&from=now-1h&px=50")),
    );
    let mut found = BTreeMap::new();
    for path in paths {
        let reply = server.get(&format!("api/v1/{path}")).await;
        found.insert(path, format!("{} {}", reply.status, reply.body));
    }
    found
}

#[tokio::test]
async fn answers_about_a_sealed_day_are_as_before() {
    let database = with_services().await;
    let before = answers(&database).await;
    let answered = before
        .values()
        .filter(|reply| reply.starts_with("200"))
        .count();
    assert!(answered > 100, "{answered} of {}", before.len());
    let tables = "select table_name from collector.sealed_tables";
    for row in database.sql(tables).await.unwrap() {
        let table = row[0].clone().unwrap();
        let seal = format!(
            "select count(collector.seal_hour('{table}', m.host_id, m.bucket)) from collector.seal_day('{table}', '2026-09-20') m"
        );
        database.sql(&seal).await.unwrap();
        for left in [
            format!("select count(*) from collector.seal_day('{table}', '2026-09-20')"),
            format!("select count(*) from collector.{table}"),
        ] {
            let found = database.sql(&left).await.unwrap()[0][0].clone();
            assert_eq!(found.as_deref(), Some("0"), "{left}");
        }
    }
    let after = answers(&database).await;
    for (path, before) in before {
        assert_eq!(after[&path], before, "{path}");
    }
}
