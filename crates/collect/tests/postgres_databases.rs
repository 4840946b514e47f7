//! A database that hangs, or that is dropped while it is about to be looked into, costs nothing else.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Ticks, builder, cell, instance, int, text};
use schema::Cell;
use schema::tables::{
    CheckSample, CollectorRun, DatabaseSample, DbSample, TableSample, VisibilityGap,
};
use std::time::Duration;

/// Catalogues without which no session gets anywhere.
const LOCKS: &str = "BEGIN; LOCK TABLE pg_class, pg_namespace, pg_type, pg_proc, pg_attribute \
                     IN ACCESS EXCLUSIVE MODE";

#[tokio::test]
async fn a_database_that_hangs_and_one_that_is_dropped_meanwhile_cost_only_themselves() {
    let server = builder().start().unwrap();
    for database in ["a_stuck", "b_gone", "c_shop"] {
        let create = format!("CREATE DATABASE {database}");
        server.sql(&create).await.unwrap();
    }
    let options = pg::SessionOptions {
        search_path: "public".to_owned(),
        idle_in_transaction_timeout: Duration::ZERO,
        transaction_timeout: Duration::ZERO,
        ..pg::SessionOptions::default()
    };
    let open = async |database: &str| {
        let target = server.target().with_database(database);
        pg::connect(&target, &options, "holder").await.unwrap()
    };
    for database in ["postgres", "c_shop"] {
        let session = open(database).await;
        let create =
            "CREATE TABLE here (i int); CREATE INDEX one ON here (i); CREATE INDEX two ON here (i)";
        session.client.batch_execute(create).await.unwrap();
    }
    let mut watched = instance(&server);
    watched.timeout = Duration::from_secs(2);
    let mut ticks = Ticks::new(watched);
    ticks.fast().await;
    let holder = open("a_stuck").await;
    holder.client.batch_execute(LOCKS).await.unwrap();

    // Databases are visited by name: the second is dropped while the first hangs.
    let administrator = open("postgres").await;
    let drop_it = async {
        // One that hangs before it has logged in shows in no other place.
        let hanging = "SELECT FROM pg_locks WHERE NOT granted";
        for _ in 0..200 {
            let rows = administrator.client.query(hanging, &[]).await.unwrap();
            if !rows.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let drop = "DROP DATABASE b_gone";
        administrator.client.batch_execute(drop).await.unwrap();
    };
    let (slow, ()) = tokio::join!(ticks.slow(), drop_it);
    let fast = ticks.fast().await;
    let reported =
        |name: &str| text(fast.with::<VisibilityGap>("database", name), "state").to_owned();
    assert_eq!(reported("a_stuck"), "unreachable");
    assert_eq!(reported("b_gone"), "missing");
    let error = text(slow.one::<CollectorRun>(), "error");
    assert!(
        error.contains("database of a_stuck, database of b_gone"),
        "{error}"
    );
    for database in ["postgres", "c_shop"] {
        slow.with::<TableSample>("database", database);
        slow.with::<CheckSample>("database", database);
        let row = fast.with::<DatabaseSample>("database", database);
        assert!(int(row, "size_bytes") > 0);
    }
    assert_eq!(*cell(fast.one::<DbSample>(), "error"), Cell::Null);

    holder.client.batch_execute("ROLLBACK").await.unwrap();
    ticks.slow().await;
    let fast = ticks.fast().await;
    for name in ["a_stuck", "b_gone"] {
        assert!(
            fast.find::<VisibilityGap>("database", name).is_none(),
            "{name}"
        );
    }
    ticks.watcher.close().await;
}
