//! The example dashboards for Grafana (`deploy/grafana`): each query of each panel answers from a filled store, asked by a role that
//! may only read.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{clock, start};
use schema::Timestamp;
use schema::micros::HOUR;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::rollup;
use tempfile::TempDir;
use testkit::Database;
use testkit::month::{Month, Plan, Size};
use tokio_postgres::SimpleQueryMessage;

/// What the description of a panel says that only newer servers answer: the generated one is older.
const NEWER: &str = "and newer)";
/// Ticks that are queued before they are waited for.
const AT_ONCE: usize = 90;

fn boards() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana");
    let files = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let board = serde_json::from_str(&fs::read_to_string(&path).unwrap());
        let board = board.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, board)
    };
    paths.into_iter().map(read).collect()
}

/// A store with two hours of a host that are rolled up, a finding and a gap, and a role that may only read.
async fn filled() -> (Database, String) {
    let database = testkit::migrated().await.unwrap();
    let dir = TempDir::new().unwrap();
    let agent = start(dir.path(), database.target());
    let hour = clock().as_micros() / HOUR * HOUR;
    let plan = Plan {
        begin: Timestamp(hour - 2 * HOUR),
        ..Plan::healthy(7, 1, Size::SMALL)
    };
    let ticks: Vec<_> = Month::new(&plan)
        .take_while(|tick| tick.ts.as_micros() < hour + 60_000_000)
        .collect();
    for some in ticks.chunks(AT_ONCE) {
        for tick in some {
            agent
                .queue
                .append(tick.ts, tick.rows.clone())
                .await
                .unwrap();
        }
        agent.drained().await;
    }
    agent.stop().await;
    let session = database.connect().await.unwrap();
    let rolled = rollup::run(&session.client, Duration::from_secs(600)).await;
    assert!(rolled.unwrap().unwrap().hours >= 1);
    session.close(Duration::from_secs(5)).await;
    database
        .sql(
            "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, title, message, steps, opened_at, seen_at, confirmed_at, worst) \
             VALUES (1, 'a', 'b', 'alert', 'host', 'warn', 'A title', 'A message', '{}', now(), now(), now(), 'warn'); \
             SELECT collector.ensure_partition('data_gaps', NULL); \
             INSERT INTO collector.data_gaps (ts, host_id, class, from_ts, to_ts, count, reason) VALUES (now(), 1, 'core', now(), now(), 1, 'budget')",
        )
        .await
        .unwrap();
    let reader = format!("{}_reader", database.name());
    let grant = include_str!("../../../bins/pqcrypta/src/roles.sql");
    database
        .sql(&format!(
            "CREATE ROLE {reader}; SET pqcrypta.writer = ''; SET pqcrypta.ingest = ''; SET pqcrypta.reader = '{reader}'; {grant}"
        ))
        .await
        .unwrap();
    (database, reader)
}

/// Returns a query with the macros of Grafana's data source and the variables of the dashboard written out.
fn expanded(sql: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = sql.to_owned();
    for (name, make) in [
        (
            "$__timeFilter(",
            (|of| format!("{of} BETWEEN now() - interval '1 day' AND now()")) as fn(&str) -> String,
        ),
        ("$__timeGroupAlias(", |of| {
            let column = of.split(',').next().unwrap();
            format!("floor(extract(epoch FROM {column}) / 60) * 60 AS \"time\"")
        }),
    ] {
        while let Some(at) = text.find(name) {
            let rest = &text[at + name.len()..];
            let end = rest.find(')').unwrap();
            let made = make(&rest[..end]);
            text.replace_range(at..at + name.len() + end + 1, &made);
        }
    }
    for (name, value) in variables {
        text = text.replace(&format!("${name}"), value);
    }
    assert!(!text.contains('$'), "not written out: {text}");
    text
}

/// The columns and the rows of an answer.
type Answer = (Vec<String>, Vec<Vec<Option<String>>>);

async fn ask(session: &pg::Session, sql: &str) -> Answer {
    let answer = session.client.simple_query(sql).await;
    let answer = answer.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    for message in answer {
        match message {
            SimpleQueryMessage::RowDescription(found) => {
                columns = found.iter().map(|one| one.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let cells = (0..row.len()).map(|place| row.get(place).map(str::to_owned));
                rows.push(cells.collect());
            }
            _ => {}
        }
    }
    (columns, rows)
}

#[tokio::test]
async fn every_panel_answers_a_role_that_only_reads() {
    let (database, reader) = filled().await;
    let session = database.connect().await.unwrap();
    let role = format!("SET ROLE {reader}; SET default_transaction_read_only = on");
    session.client.batch_execute(&role).await.unwrap();
    let (mut asked, mut empty) = (0, Vec::new());
    let boards = boards();
    assert_eq!(boards.len(), 4);
    for (path, board) in &boards {
        let mut variables = BTreeMap::new();
        for variable in board["templating"]["list"].as_array().unwrap() {
            let sql = expanded(variable["query"].as_str().unwrap(), &variables);
            let (columns, rows) = ask(&session, &sql).await;
            assert_eq!(columns, ["__text", "__value"], "{sql}");
            let value = rows.first().and_then(|row| row[1].clone());
            let name = variable["name"].as_str().unwrap();
            variables.insert(name.to_owned(), value.expect(name));
        }
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            let place = format!("{}, {title}", path.display());
            let description = panel["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.'), "{place}");
            for target in panel["targets"].as_array().unwrap() {
                let sql = expanded(target["rawSql"].as_str().unwrap(), &variables);
                let (columns, rows) = ask(&session, &sql).await;
                asked += 1;
                if target["format"] == "time_series" {
                    assert_eq!(columns[0], "time", "{place}");
                }
                // No column is always unknown.
                let known = |place: usize| rows.iter().any(|row| row[place].is_some());
                if !(0..columns.len()).all(known) && !description.contains(NEWER) {
                    empty.push(format!("{place}: {} rows\n{sql}", rows.len()));
                }
            }
        }
    }
    assert!(asked > 30, "{asked}");
    assert!(empty.is_empty(), "{}", empty.join("\n"));
    session.close(Duration::from_secs(5)).await;
    database
        .sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"))
        .await
        .unwrap();
}
