//! Rows that an earlier version dead-lettered, since it did not know their table.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use bytes::Bytes;
use common::{Running, database, number, start, ts};
use schema::Sample;
use schema::micros::HOUR;
use schema::tables::TrafficSample;
use schema::{Row, Timestamp};
use std::path::Path;
use store::tuple;
use tempfile::TempDir;
use testkit::Database;

fn traffic(at: Timestamp, views: i64) -> Row {
    let sample = TrafficSample {
        site: "example.org".into(),
        views,
        ..TrafficSample::default()
    };
    sample.into_row(at)
}

/// Dead-letters rows of host 1 as a version that has no such table does.
async fn dead_letter(database: &Database, rows: &[Row], error: &str) {
    let session = database.connect().await.unwrap();
    for (payload, _) in tuple::encode(rows) {
        for group in tuple::decode(&Bytes::from(payload)).unwrap() {
            let columns: Vec<&str> = group.columns.iter().map(|(name, _)| &**name).collect();
            for (json, _, tuple) in group.rows_as_json() {
                session
                    .client
                    .execute(
                        "insert into collector.dead_letter (ts, host_id, table_name, row, tuple, columns, sqlstate, error) \
                         values (now(), 1, $1, $2, $3, $4, '42P01', $5)",
                        &[&group.table, &json, &&tuple[..], &columns, &error],
                    )
                    .await
                    .unwrap();
            }
        }
    }
}

/// Begins a session that has a row of this instant to deliver.
async fn begin(database: &Database, dir: &Path, at: Timestamp, views: i64) -> Running {
    let running = start(dir, database.target());
    running
        .queue
        .append(at, vec![traffic(at, views)])
        .await
        .unwrap();
    running
}

/// Delivers a row of this instant in a session of its own.
async fn deliver(database: &Database, dir: &Path, at: Timestamp, views: i64) {
    let running = begin(database, dir, at, views).await;
    running.drained().await;
    running.stop().await;
}

const NO_SUCH_TABLE: &str = "this version has no such table";

#[tokio::test]
async fn rows_that_an_earlier_version_did_not_know_go_into_their_table_once() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    // The first session makes the host.
    deliver(&database, dir.path(), ts(0), 1).await;
    let earlier = Timestamp(ts(0).as_micros() - 30 * HOUR);
    let rows = [traffic(ts(1), 2), traffic(earlier, 3), traffic(ts(2), 4)];
    dead_letter(&database, &rows, NO_SUCH_TABLE).await;
    // Refused for another reason, it stays.
    dead_letter(&database, &[traffic(ts(3), 5)], "something else").await;
    let running = start(dir.path(), database.target());
    let stored = "select coalesce(sum(views), 0)::int8 from collector.traffic_samples_raw";
    running
        .until("they are stored", async || {
            number(&database, stored).await == 10
        })
        .await;
    let left = "select count(*) from collector.dead_letter";
    assert_eq!(number(&database, left).await, 1);
    let hours =
        "select count(*) from collector.changed_hours where bucket < now() - interval '28 hours'";
    assert_eq!(number(&database, hours).await, 1, "it is rolled up again");
    running.stop().await;
    let rows = "select count(*) from collector.traffic_samples_raw";
    assert_eq!(number(&database, rows).await, 4);
}

/// What the server refuses is a dead letter for that reason, and everything else is stored, also what was taken with it.
#[tokio::test]
async fn rows_that_are_refused_are_dead_letters_again_and_hold_up_nothing() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    deliver(&database, dir.path(), ts(0), 1).await;
    let rows = [traffic(ts(1), 2), traffic(ts(2), -1), traffic(ts(3), 4)];
    dead_letter(&database, &rows, NO_SUCH_TABLE).await;
    let refuse = "alter table collector.traffic_samples_raw add constraint refused check (views >= 0) not valid";
    database.sql(refuse).await.unwrap();
    for round in 1..=2 {
        let running = begin(&database, dir.path(), ts(3 + round), 8).await;
        let stored = "select sum(views)::int8 from collector.traffic_samples_raw";
        running
            .until("the others are stored", async || {
                number(&database, stored).await == 7 + 8 * round
            })
            .await;
        running.stop().await;
        let left = "select count(*) from collector.dead_letter \
            where sqlstate = '23514' and error like '%violates check constraint%' and row::jsonb->>'views' = '-1'";
        assert_eq!(number(&database, left).await, 1);
        let all = "select count(*) from collector.dead_letter";
        assert_eq!(number(&database, all).await, 1);
    }
}

/// A table that lacks a column ends one connection, and not each.
#[tokio::test]
async fn rows_that_cannot_be_stored_now_stay_dead_letters_and_hold_up_nothing() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    deliver(&database, dir.path(), ts(0), 1).await;
    dead_letter(&database, &[traffic(ts(1), 2)], NO_SUCH_TABLE).await;
    let forbid = "alter table collector.traffic_samples_raw rename column views to elsewhere";
    database.sql(forbid).await.unwrap();
    let running = start(dir.path(), database.target());
    let lifted = "alter table collector.traffic_samples_raw rename column elsewhere to views";
    let links = || running.status.get().connections;
    running
        .until("it is tried and given up", async || links() >= 2)
        .await;
    let beat = "select count(*) from collector.heartbeat";
    let before = number(&database, beat).await;
    running
        .until("the next connection stays", async || {
            number(&database, beat).await > before
        })
        .await;
    assert_eq!(links(), 2);
    running.stop().await;
    let left = "select count(*) from collector.dead_letter where sqlstate = '42P01'";
    assert_eq!(number(&database, left).await, 1);
    database.sql(lifted).await.unwrap();
    let running = start(dir.path(), database.target());
    running
        .until("the next run stores it", async || {
            number(&database, left).await == 0
        })
        .await;
    running.stop().await;
}
