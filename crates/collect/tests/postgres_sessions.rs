//! Sessions in each other's way, and a standby.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{Ticks, builder, cell, instance, int, text};
use schema::tables::{CheckSample, DbSample, ReplicationSample, SessionSample, VisibilityGap};
use schema::{Cell, Row};
use testkit::{Server, Stop};

async fn session(server: &Server, name: &str) -> pg::Session {
    let options = pg::SessionOptions {
        lock_timeout: Duration::ZERO,
        search_path: "public".to_owned(),
        ..pg::SessionOptions::default()
    };
    pg::connect(&server.target(), &options, name).await.unwrap()
}

async fn until(server: &Server, condition: &str) {
    let question = format!("SELECT 1 WHERE {condition}");
    for _ in 0..3000 {
        if !server.sql(&question).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {condition}");
}

fn place(row: &Row) -> (Cell, Cell, i64, i64) {
    (
        cell(row, "root_pid").clone(),
        cell(row, "blocked_by").clone(),
        int(row, "depth"),
        int(row, "victims"),
    )
}

#[tokio::test]
async fn who_blocks_whom_is_a_tree_without_secrets() {
    let server = builder().start().unwrap();
    server
        .sql("CREATE TABLE t (i int PRIMARY KEY)")
        .await
        .unwrap();
    server.sql("INSERT INTO t VALUES (1), (2)").await.unwrap();
    let holder = session(&server, "holder").await;
    let second = session(&server, "second").await;
    let third = session(&server, "third").await;
    let fourth = session(&server, "fourth").await;
    let left = session(&server, "left").await;
    holder
        .client
        .batch_execute("BEGIN; DELETE FROM t WHERE i = 1")
        .await
        .unwrap();
    left.client
        .batch_execute("BEGIN; DELETE FROM t WHERE i = 2; PREPARE TRANSACTION 'forgotten'")
        .await
        .unwrap();
    second.client.batch_execute("BEGIN").await.unwrap();
    second
        .client
        .batch_execute("LOCK TABLE t IN ROW SHARE MODE")
        .await
        .unwrap();
    let (second_pid, holder_pid) = (second.pid, holder.pid);
    let waiting = tokio::spawn(async move {
        second
            .client
            .batch_execute("DELETE FROM t WHERE i = 1 AND 'TopSecret1' <> ''")
            .await
    });
    until(&server, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)").await;
    let third_pid = third.pid;
    let behind = tokio::spawn(async move {
        third
            .client
            .batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            .await
    });
    until(
        &server,
        "(SELECT count(*) FROM pg_locks WHERE NOT granted) = 2",
    )
    .await;
    let fourth_pid = fourth.pid;
    let on_prepared = tokio::spawn(async move {
        fourth
            .client
            .batch_execute("SELECT * FROM t WHERE i = 2 FOR UPDATE")
            .await
    });
    until(
        &server,
        "(SELECT count(*) FROM pg_locks WHERE NOT granted) = 3",
    )
    .await;

    let mut ticks = Ticks::new(instance(&server));
    let fast = ticks.fast().await;
    let found = fast.of::<SessionSample>();
    let of = |pid: i32| {
        let mut rows = found.iter();
        *rows
            .find(|row| int(row, "pid") == i64::from(pid))
            .unwrap_or_else(|| panic!("{pid} in {found:#?}"))
    };
    let id = |pid: i32| Cell::Int(pid.into());
    assert_eq!(place(of(holder_pid)).0, Cell::Null);
    assert!(int(of(holder_pid), "victims") >= 2);
    assert_eq!(text(of(holder_pid), "state"), "idle in transaction");
    assert_eq!(
        place(of(second_pid)).1,
        id(holder_pid),
        "the nearest that blocks it: {found:#?}"
    );
    assert_eq!(int(of(second_pid), "depth"), 1);
    assert!(text(of(second_pid), "wait").starts_with("Lock:"));
    assert_eq!(text(of(0), "state"), "prepared transaction");
    assert!(int(of(third_pid), "depth") >= 1);
    assert!(int(of(fourth_pid), "depth") >= 1);
    let row = fast.one::<DbSample>();
    assert_eq!(int(row, "conn_waiting"), 3);
    assert_eq!(int(row, "wait_lock"), 3);
    assert_eq!(int(row, "locks_waiting"), 3);
    assert!(int(row, "conn_idle_in_xact") >= 1);
    let shown = format!("{fast:?}");
    assert!(!shown.contains("TopSecret1"));
    assert!(text(of(second_pid), "query").contains("DELETE FROM t"));

    server.sql("ROLLBACK PREPARED 'forgotten'").await.unwrap();
    holder.client.batch_execute("ROLLBACK").await.unwrap();
    waiting.await.unwrap().unwrap();
    behind.abort();
    on_prepared.abort();
    ticks.watcher.close().await;
}

#[tokio::test]
async fn a_standby_and_its_primary_report_each_other() {
    let primary = builder().start().unwrap();
    for step in [
        "CREATE EXTENSION pg_stat_statements",
        "CREATE TABLE t (i serial)",
        "SELECT pg_create_physical_replication_slot('second', true)",
        "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')",
    ] {
        primary.sql(step).await.unwrap();
    }
    let pg::Host::Socket(socket) = primary.target().host else {
        panic!("testkit's servers have sockets");
    };
    let conninfo = format!(
        "host={} user=postgres password=TopSecret1 application_name=second",
        socket.display()
    );
    primary.stop(Stop::Fast).unwrap();
    let standby = builder()
        .setting("primary_conninfo", &conninfo)
        .setting("primary_slot_name", "second")
        .setting("hot_standby_feedback", "on")
        .file("standby.signal", "")
        .copy_of(&primary)
        .start()
        .unwrap();
    primary.start().unwrap();
    until(
        &primary,
        "EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')",
    )
    .await;
    primary
        .sql("INSERT INTO t SELECT FROM generate_series(1, 100)")
        .await
        .unwrap();

    let mut first = Ticks::new(instance(&primary));
    first.slow().await;
    let fast = first.fast().await;
    let row = fast.with::<ReplicationSample>("slot_name", "second");
    assert_eq!(text(row, "application_name"), "second");
    assert_eq!(text(row, "state"), "streaming");
    assert_eq!(*cell(row, "active"), Cell::Bool(true));
    assert!(int(row, "replay_lag_bytes") >= 0);
    let feed = fast.with::<ReplicationSample>("slot_name", "feed");
    assert_eq!(text(feed, "slot_type"), "logical");
    assert!(int(feed, "unconfirmed_bytes") > 0);
    assert_eq!(*cell(feed, "spill_bytes"), Cell::Int(0));

    let mut second = Ticks::new(instance(&standby));
    let slow = second.slow().await;
    let there = second.fast().await;
    let broken: Vec<String> = there
        .of::<VisibilityGap>()
        .into_iter()
        .filter(|row| text(row, "state") != "off")
        .map(|row| format!("{row:?}"))
        .collect();
    assert_eq!(broken, [""; 0]);
    let row = there.one::<DbSample>();
    assert_eq!(*cell(row, "in_recovery"), Cell::Bool(true));
    assert_eq!(text(row, "receiver_status"), "streaming");
    assert!(int(row, "replay_backlog_bytes") >= 0);
    assert_eq!(*cell(row, "replay_paused"), Cell::Bool(false));
    let conflicts = slow.with::<CheckSample>("check_name", "recovery_conflicts");
    assert_eq!(*cell(conflicts, "value"), Cell::Float(0.0));
    assert!(!format!("{slow:?}{there:?}").contains("TopSecret1"));
    first.watcher.close().await;
    second.watcher.close().await;

    primary.stop(Stop::Fast).unwrap();
    let mut second = Ticks::new(instance(&standby));
    let before = text(second.fast().await.one::<DbSample>(), "epoch").to_owned();
    standby.sql("SELECT pg_promote()").await.unwrap();
    let after = second.fast().await;
    let row = after.one::<DbSample>();
    assert_eq!(*cell(row, "in_recovery"), Cell::Bool(false));
    assert_eq!(*cell(row, "receiver_status"), Cell::Null);
    standby.sql("CHECKPOINT").await.unwrap();
    let after = second.fast().await;
    assert_ne!(
        text(after.one::<DbSample>(), "epoch"),
        before,
        "another timeline"
    );
    second.watcher.close().await;
}
