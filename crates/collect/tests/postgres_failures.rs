//! What goes wrong with a watched server costs nothing else, is reported, and resolves.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::process::Command;

use common::{Rows, Ticks, builder, cell, do_each, instance, instance_as, int, text};
use schema::Cell;
use schema::tables::{
    CheckSample, CollectorRun, DatabaseSample, DbSample, IndexSample, SlruSample, StatementStore,
    TableSample, VisibilityGap,
};
use testkit::{Server, Stop};

fn epochs(fast: &Rows, slow: &Rows) -> [String; 5] {
    [
        text(fast.one::<DbSample>(), "epoch"),
        text(fast.with::<DatabaseSample>("database", "postgres"), "epoch"),
        text(slow.with::<TableSample>("table_name", "t"), "epoch"),
        text(slow.with::<SlruSample>("slru", "transaction"), "epoch"),
        text(slow.one::<StatementStore>(), "epoch"),
    ]
    .map(str::to_owned)
}

/// Which of the epochs of server, database, tables, small caches and statements differ.
fn moved(before: &[String; 5], after: &[String; 5]) -> Vec<&'static str> {
    let names = ["server", "database", "tables", "slru", "statements"];
    let pairs = names.into_iter().zip(before.iter().zip(after));
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(name, _)| name)
        .collect()
}

#[tokio::test]
async fn an_epoch_moves_with_resets_and_crashes_and_with_nothing_else() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "CREATE TABLE t (i int)",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance(&server));
    let mut before = epochs(&ticks.fast().await, &ticks.slow().await);
    let everything = vec!["server", "database", "tables", "slru", "statements"];
    let reset = |call: &str| format!("SELECT {call}");
    let cases: [(String, Vec<&str>); 6] = [
        (reset("1"), vec![]),
        (reset("pg_stat_reset()"), vec!["database", "tables"]),
        (
            reset("pg_stat_reset_single_table_counters('t'::regclass)"),
            vec!["database", "tables"],
        ),
        (reset("pg_stat_reset_shared('wal')"), vec!["server"]),
        (reset("pg_stat_reset_slru('Xact')"), vec!["slru"]),
        (reset("pg_stat_statements_reset()"), vec!["statements"]),
    ];
    for (statement, expected) in cases {
        // 17 renamed the small caches.
        let known = server.sql("SELECT name FROM pg_stat_slru").await.unwrap();
        let renamed = known
            .iter()
            .flatten()
            .flatten()
            .any(|name| name == "transaction");
        let statement = match renamed {
            true => statement.replace("'Xact'", "'transaction'"),
            false => statement,
        };
        server.sql(&statement).await.unwrap();
        let after = epochs(&ticks.fast().await, &ticks.slow().await);
        assert_eq!(moved(&before, &after), expected, "{statement}");
        before = after;
    }

    server.stop(Stop::Fast).unwrap();
    server.start().unwrap();
    ticks.fast().await;
    let after = epochs(&ticks.fast().await, &ticks.slow().await);
    assert_eq!(
        moved(&before, &after),
        [""; 0],
        "a clean restart keeps the counters"
    );

    kill_a_backend(&server).await;
    ticks.fast().await;
    let after = epochs(&ticks.fast().await, &ticks.slow().await);
    assert_eq!(moved(&before, &after), everything, "a killed backend");

    server.stop(Stop::Immediate).unwrap();
    server.start().unwrap();
    ticks.fast().await;
    before = after;
    let after = epochs(&ticks.fast().await, &ticks.slow().await);
    assert_eq!(moved(&before, &after), everything, "a crash");
    ticks.watcher.close().await;
}

/// Kills a session with a signal, whereupon the server ends all others and recovers.
async fn kill_a_backend(server: &Server) {
    let options = pg::SessionOptions::default();
    let open = async |name| pg::connect(&server.target(), &options, name).await.unwrap();
    let (victim, bystander) = (open("victim").await, open("bystander").await);
    let killed = Command::new("kill")
        .args(["-9", &victim.pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    // Only when the server has ended the others has it begun to recover.
    let mut ended = false;
    for _ in 0..1500 {
        ended = ended || bystander.is_closed();
        if ended && server.sql("SELECT 1").await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the server did not come back: {}", server.log());
}

/// Counters that stand for what they hang on: three views of the server, databases, tables.
const COUNTERS: [(&str, &str); 5] = [
    ("wal", "wal_bytes"),
    ("checkpointer", "buffers_alloc"),
    ("archiver", "archived_total"),
    ("databases", "xact_commit"),
    ("tables", "n_tup_ins"),
];

#[tokio::test]
async fn what_is_revoked_makes_its_own_counters_unknown_and_no_others() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE TABLE t (i int)",
            "INSERT INTO t VALUES (1)",
        ],
    )
    .await;
    let bgwriter = "FUNCTION pg_stat_get_bgwriter_stat_reset_time()";
    let cases: [(&str, &str, &str, &[&str]); 8] = [
        ("SELECT", "pg_stat_wal", "wal", &["wal"]),
        (
            "SELECT",
            "pg_stat_bgwriter",
            "checkpointer",
            &["checkpointer"],
        ),
        ("SELECT", "pg_stat_archiver", "archiver", &["archiver"]),
        ("SELECT", "pg_stat_database", "databases", &["databases"]),
        ("SELECT", "pg_stat_activity", "sessions", &[]),
        ("SELECT", "pg_prepared_xacts", "prepared_xacts", &[]),
        ("EXECUTE", "FUNCTION pg_control_system()", "cluster", &[]),
        // Without it a crash would pass unnoticed by what was never reset by hand.
        (
            "EXECUTE",
            bgwriter,
            "crash_mark",
            &["checkpointer", "databases", "tables"],
        ),
    ];
    for (right, object, family, expected) in cases {
        let revoke = format!("REVOKE {right} ON {object} FROM PUBLIC");
        let grant = format!("GRANT {right} ON {object} TO PUBLIC");
        do_each(&server, &[&revoke]).await;
        let mut ticks = Ticks::new(instance_as(&server, "watcher"));
        let slow = ticks.slow().await;
        let fast = ticks.fast().await;
        let unknown: Vec<&str> = COUNTERS
            .into_iter()
            .filter(|(family, column)| {
                let row = match *family {
                    "databases" => fast.find::<DatabaseSample>("database", "postgres"),
                    "tables" => slow.find::<TableSample>("table_name", "t"),
                    _ => Some(fast.one::<DbSample>()),
                };
                row.is_none_or(|row| *cell(row, column) == Cell::Null)
            })
            .map(|(family, _)| family)
            .collect();
        assert_eq!(unknown, expected, "{object}");
        let gaps = fast.of::<VisibilityGap>();
        let reported = gaps.iter().filter(|row| text(row, "family") == family);
        let remedies: Vec<&str> = reported.clone().map(|row| text(row, "remedy")).collect();
        let reported: Vec<&str> = reported.map(|row| text(row, "state")).collect();
        assert_eq!(reported, ["denied"], "{object}: {gaps:#?}");
        do_each(&server, &remedies).await;
        ticks.slow().await;
        let fast = ticks.fast().await;
        let fixed = fast.find::<VisibilityGap>("family", family).is_none();
        assert!(fixed, "{object}: {remedies:?}");
        ticks.watcher.close().await;
        do_each(&server, &[&grant]).await;
    }
}

#[tokio::test]
async fn a_locked_table_costs_only_what_needs_the_lock() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pgstattuple",
            "CREATE TABLE held (i serial PRIMARY KEY, note text)",
            "INSERT INTO held (note) SELECT repeat('x', 200) FROM generate_series(1, 5000)",
            "CREATE TABLE free (i int)",
            "ANALYZE",
        ],
    )
    .await;
    let options = pg::SessionOptions::default();
    let holder = pg::connect(&server.target(), &options, "holder")
        .await
        .unwrap();
    holder
        .client
        .batch_execute("BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut ticks = Ticks::new(instance(&server));
    let slow = ticks.slow().await;
    let fast = ticks.fast().await;
    for table in ["held", "free"] {
        assert!(int(slow.with::<TableSample>("table_name", table), "n_live_tup") >= 0);
    }
    let index = slow.with::<IndexSample>("table_name", "held");
    assert_eq!(
        text(index, "definition"),
        "",
        "making it would wait for the lock"
    );
    let waited: Vec<&str> = fast
        .of::<VisibilityGap>()
        .into_iter()
        .filter(|row| text(row, "state") == "locked")
        .map(|row| text(row, "family"))
        .collect();
    assert_eq!(waited, ["table_bloat_exact"]);
    assert_eq!(int(fast.one::<DbSample>(), "lock_access_exclusive"), 1);
    assert_eq!(text(slow.one::<CollectorRun>(), "outcome"), "ok");
    holder.client.batch_execute("ROLLBACK").await.unwrap();
    let slow = ticks.slow().await;
    let found = slow.of::<CheckSample>();
    let looked = |row: &&&schema::Row| text(row, "check_name") == "table_bloat_exact";
    assert!(found.iter().any(|row| looked(&row)), "{found:#?}");
    let fast = ticks.fast().await;
    assert!(fast.find::<VisibilityGap>("state", "locked").is_none());
    ticks.watcher.close().await;
}

#[tokio::test]
async fn what_is_taken_away_is_reported_at_the_next_tick_and_comes_back() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE DATABASE shut",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    ticks.slow().await;
    let fast = ticks.fast().await;
    assert_eq!(int(fast.one::<DbSample>(), "conn_hidden"), 0);
    assert!(fast.find::<VisibilityGap>("family", "activity").is_none());

    do_each(&server, &["REVOKE pg_read_all_stats FROM watcher"]).await;
    let fast = ticks.fast().await;
    assert_eq!(
        text(fast.with::<VisibilityGap>("family", "activity"), "state"),
        "denied"
    );
    assert_eq!(*cell(fast.one::<DbSample>(), "conn_total"), Cell::Null);
    assert_eq!(*cell(fast.one::<DbSample>(), "up"), Cell::Bool(true));
    do_each(&server, &["GRANT pg_read_all_stats TO watcher"]).await;
    let fast = ticks.fast().await;
    assert!(fast.find::<VisibilityGap>("family", "activity").is_none());
    assert!(int(fast.one::<DbSample>(), "conn_total") >= 0);

    do_each(
        &server,
        &[
            "DROP EXTENSION pg_stat_statements",
            "REVOKE CONNECT ON DATABASE shut FROM PUBLIC",
            "REVOKE SELECT ON pg_locks FROM PUBLIC",
        ],
    )
    .await;
    ticks.slow().await;
    let fast = ticks.fast().await;
    let gone = fast.with::<VisibilityGap>("family", "statements");
    assert_eq!(text(gone, "state"), "missing");
    assert!(text(gone, "remedy").contains("CREATE EXTENSION pg_stat_statements"));
    let shut = fast.with::<VisibilityGap>("database", "shut");
    assert_eq!(
        text(shut, "remedy"),
        "GRANT CONNECT ON DATABASE shut TO watcher;"
    );
    assert_eq!(
        text(fast.with::<VisibilityGap>("family", "locks"), "state"),
        "denied"
    );
    let row = fast.one::<DbSample>();
    assert_eq!(*cell(row, "locks_waiting"), Cell::Null);
    assert!(
        int(row, "buffers_alloc") >= 0,
        "its neighbours are untouched"
    );
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "GRANT CONNECT ON DATABASE shut TO watcher",
            "GRANT SELECT ON pg_locks TO PUBLIC",
        ],
    )
    .await;
    ticks.slow().await;
    let fast = ticks.fast().await;
    for family in ["statements", "database", "locks"] {
        assert!(
            fast.find::<VisibilityGap>("family", family).is_none(),
            "{family}"
        );
    }
    assert!(int(fast.one::<DbSample>(), "wal_bytes") > 0);
    a_server_that_is_gone_is_said_to_be_and_comes_back(&server, &mut ticks).await;
    ticks.watcher.close().await;
}

async fn a_server_that_is_gone_is_said_to_be_and_comes_back(server: &Server, ticks: &mut Ticks) {
    server.kill_postmaster().unwrap();
    let mut down = ticks.fast().await;
    // Its backends end by themselves, a moment later.
    for _ in 0..500 {
        if *cell(down.one::<DbSample>(), "up") == Cell::Bool(false) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        down = ticks.fast().await;
    }
    down = ticks.fast().await;
    let row = down.one::<DbSample>();
    assert_eq!(*cell(row, "up"), Cell::Bool(false));
    assert!(text(row, "error").contains("cannot connect"), "{row:?}");
    assert_eq!(text(row, "epoch"), "");
    assert_eq!(text(down.one::<VisibilityGap>(), "state"), "unreachable");
    assert_eq!(text(down.one::<CollectorRun>(), "outcome"), "failed");
    let slow = ticks.slow().await;
    assert_eq!(text(slow.one::<CollectorRun>(), "outcome"), "failed");
    server.start().unwrap();
    let back = ticks.fast().await;
    assert_eq!(
        *cell(back.one::<DbSample>(), "up"),
        Cell::Bool(true),
        "{back:?}"
    );
}
