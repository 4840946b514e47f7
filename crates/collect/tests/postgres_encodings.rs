//! Bytes that are not text in their encoding cost themselves alone.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Ticks, builder, do_each, instance_as, text};
use schema::tables::{
    CheckSample, DatabaseSample, SessionSample, StatementSample, StatementText, TableSample,
    VisibilityGap,
};
use testkit::Server;

/// A session in this database that sends its bytes as they are.
async fn open(server: &Server, database: &str) -> pg::Session {
    let options = pg::SessionOptions {
        search_path: "public".to_owned(),
        statement_timeout: std::time::Duration::ZERO,
        ..pg::SessionOptions::default()
    };
    let target = server.target().with_database(database);
    pg::connect(&target, &options, "legacy").await.unwrap()
}

/// Statements are sent as texts: bytes that are not text are written by the server itself.
fn executed(sql: &str) -> String {
    format!("DO $do$ BEGIN EXECUTE {sql}; END $do$")
}

#[tokio::test]
async fn a_database_without_encoding_is_read_byte_by_byte() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE DATABASE legacy ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        ],
    )
    .await;
    let legacy = open(&server, "legacy").await;
    for step in [
        "CREATE TABLE plain (id int)".to_owned(),
        executed(
            r"'CREATE TABLE ' || quote_ident(E'cam\xE9') || ' (id int, CONSTRAINT key PRIMARY KEY (id))'",
        ),
        executed(r"'CREATE TABLE ' || quote_ident(E'cam\xE8') || ' (id int)'"),
        executed(r"'CREATE ROLE ' || quote_ident(E'ren\xE9')"),
        executed(r"'CREATE INDEX ' || quote_ident(E'one\xFF') || ' ON plain (id)'"),
        executed(r"'CREATE INDEX ' || quote_ident(E'two\xFF') || ' ON plain (id)'"),
    ] {
        legacy.client.batch_execute(&step).await.unwrap();
    }
    // What shows up for everybody: a statement that runs, with a name in it.
    let busy = open(&server, "legacy").await;
    let lock = open(&server, "legacy").await;
    lock.client
        .batch_execute("BEGIN; LOCK TABLE plain IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let waiting = executed(r"'SELECT count(*) AS ' || quote_ident(E'x\xFF') || ' FROM plain'");
    let waits = busy.client.batch_execute(&waiting);
    tokio::pin!(waits);
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let (slow, fast) = tokio::select! {
        _ = &mut waits => panic!("nobody holds the lock"),
        rows = async {
            // Until it waits.
            loop {
                let found = server.sql("SELECT FROM pg_locks WHERE NOT granted").await.unwrap();
                if !found.is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            (ticks.slow().await, ticks.fast().await)
        } => rows,
    };
    for name in ["plain", r"cam\xe9", r"cam\xe8"] {
        let table = slow.with::<TableSample>("table_name", name);
        assert_eq!(text(table, "database"), "legacy");
    }
    let checks = slow.of::<CheckSample>();
    for check in &checks {
        let detail = text(check, "detail");
        serde_json::from_str::<serde_json::Value>(detail)
            .unwrap_or_else(|error| panic!("{detail}: {error}"));
    }
    let is_told = |row: &&&schema::Row| text(row, "detail").contains(r"one\\xff");
    let twice = checks
        .iter()
        .find(is_told)
        .expect("what makes an index superfluous");
    assert_eq!(text(twice, "object"), r"public.two\xff");
    fast.with::<DatabaseSample>("database", "legacy");
    assert!(fast.of::<SessionSample>().len() >= 2, "{fast:?}");
    let failed: Vec<&str> = fast
        .of::<VisibilityGap>()
        .iter()
        .filter(|row| text(row, "state") == "failed")
        .map(|row| text(row, "message"))
        .collect();
    assert_eq!(failed, [""; 0]);
    lock.client.batch_execute("ROLLBACK").await.unwrap();
    waits.await.unwrap();
    ticks.watcher.close().await;
}

#[tokio::test]
async fn a_statement_in_another_encoding_hides_no_text_but_its_own() {
    let server = builder()
        .setting("pg_stat_statements.track", "all")
        .start()
        .unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE DATABASE legacy ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        ],
    )
    .await;
    let (legacy, app) = (
        open(&server, "legacy").await,
        open(&server, "postgres").await,
    );
    let work = async || {
        let odd = executed(r"'SELECT 1 AS ' || quote_ident(E'x\xFF')");
        legacy.client.batch_execute(&odd).await.unwrap();
        for statement in [
            "SELECT length('a')",
            "SELECT upper('a')",
            "SELECT lower('a')",
        ] {
            app.client.batch_execute(statement).await.unwrap();
        }
    };
    let whole = "SELECT count(query) FROM pg_stat_statements";
    work().await;
    assert!(
        server.sql(whole).await.is_err(),
        "the server gives none at all"
    );
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    ticks.slow().await;
    work().await;
    let slow = ticks.slow().await;
    let texts = |rows: &common::Rows| -> Vec<String> {
        let rows = rows.of::<StatementText>();
        rows.iter()
            .map(|row| text(row, "query").to_owned())
            .collect()
    };
    // What a session that is here ran last, without its constants.
    assert!(
        texts(&slow)
            .iter()
            .any(|query| query.starts_with("SELECT lower(")),
        "{:?}",
        texts(&slow)
    );
    let fast = ticks.fast().await;
    let gap = fast.with::<VisibilityGap>("family", "statement_texts");
    assert!(text(gap, "message").contains(" have no text"), "{gap:?}");
    let remedy = "CREATE EXTENSION pg_stat_statements; /* in database legacy */";
    assert_eq!(text(gap, "remedy"), remedy);
    // A check, which looks once, sees the same.
    let checked = collect::postgres::visibility_gaps(instance_as(&server, "watcher"))
        .await
        .unwrap();
    let checked: Vec<&str> = checked
        .iter()
        .filter(|gap| gap.family == "statement_texts")
        .map(|gap| gap.remedy.as_str())
        .collect();
    assert_eq!(checked, [remedy]);

    legacy.client.batch_execute(remedy).await.unwrap();
    work().await;
    let slow = ticks.slow().await;
    let reported = texts(&slow);
    for begin in [
        "SELECT length(",
        "SELECT upper(",
        r"SELECT $1 AS x\xff",
        r"SELECT $1 AS",
    ] {
        let found = reported
            .iter()
            .any(|query| query.replace('"', "").starts_with(begin));
        assert!(found, "{begin}: {reported:?}");
    }
    assert!(!slow.of::<StatementSample>().is_empty());
    let fast = ticks.fast().await;
    assert!(
        fast.find::<VisibilityGap>("family", "statement_texts")
            .is_none()
    );
    ticks.watcher.close().await;
}

#[tokio::test]
async fn what_a_server_cannot_convert_is_asked_for_again_as_it_is() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE DATABASE legacy ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
            "CREATE DATABASE tokyo ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        ],
    )
    .await;
    let (legacy, tokyo) = (open(&server, "legacy").await, open(&server, "tokyo").await);
    for step in [
        "CREATE EXTENSION pg_stat_statements",
        "CREATE TABLE \"東京\" (id int)",
    ] {
        tokyo.client.batch_execute(step).await.unwrap();
    }
    let role = |verb: &str| executed(&format!(r"'{verb} ROLE ' || quote_ident(E'ren\xE9')"));
    legacy.client.batch_execute(&role("CREATE")).await.unwrap();
    let work = async || {
        for step in [&role("SET"), "SELECT length('a')", "RESET ROLE"] {
            legacy.client.batch_execute(step).await.unwrap();
        }
    };
    let mut watched = instance_as(&server, "watcher");
    watched.target.database = "tokyo".to_owned();
    let mut ticks = Ticks::new(watched);
    work().await;
    let first = ticks.slow().await;
    // What can be converted is, until something cannot.
    work().await;
    let second = ticks.slow().await;
    second.with::<StatementSample>("role", r"ren\xe9");
    let fast = ticks.fast().await;
    let failed: Vec<&str> = fast
        .of::<VisibilityGap>()
        .iter()
        .filter(|row| text(row, "state") == "failed")
        .map(|row| text(row, "message"))
        .collect();
    assert_eq!(failed, [""; 0]);
    assert!(!first.of::<TableSample>().is_empty());
    ticks.watcher.close().await;
}
