//! What statements cost, through eviction and reset, and that no text of theirs holds a secret.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Rows, Ticks, builder, cell, instance, int, text};
use schema::tables::{StatementSample, StatementStore, StatementText};
use schema::{Cell, Row};
use testkit::Server;

/// A session of somebody whose statements are watched.
async fn visitor(server: &Server) -> pg::Session {
    let mut target = server.target();
    target.user = "app".to_owned();
    let options = pg::SessionOptions::default();
    pg::connect(&target, &options, "app").await.unwrap()
}

/// The row of the statement whose text begins so.
fn of<'a>(rows: &'a Rows, texts: &'a [Row], begin: &str) -> Option<&'a Row> {
    let known = texts
        .iter()
        .find(|row| text(row, "query").starts_with(begin))?;
    let id = cell(known, "queryid");
    let mut found = rows.of::<StatementSample>().into_iter();
    found.find(|row| cell(row, "queryid") == id)
}

#[tokio::test]
async fn differences_survive_eviction_and_reset_and_contain_no_password() {
    let server = builder()
        .setting("pg_stat_statements.max", "100")
        .start()
        .unwrap();
    for step in [
        "CREATE EXTENSION pg_stat_statements",
        "CREATE ROLE app LOGIN CREATEROLE",
    ] {
        server.sql(step).await.unwrap();
    }
    let app = visitor(&server).await;
    let run = async |statement: &str, times: usize| {
        for _ in 0..times {
            app.client.batch_execute(statement).await.unwrap();
        }
    };
    let mut ticks = Ticks::new(instance(&server));
    let mut texts: Vec<Row> = Vec::new();
    run("SELECT length('a')", 5).await;
    let first = ticks.slow().await;
    assert_eq!(
        first.of::<StatementSample>().len(),
        0,
        "totals of old are nobody's step"
    );
    assert_eq!(int(first.one::<StatementStore>(), "max_entries"), 100);

    run("SELECT length('a')", 3).await;
    run("SELECT upper('a')", 2).await;
    run("CREATE ROLE guest PASSWORD 'TopSecret1'", 1).await;
    run("ALTER ROLE guest PASSWORD 'TopSecret2'", 1).await;
    let second = ticks.slow().await;
    texts.extend(second.of::<StatementText>().into_iter().cloned());
    let early = of(&second, &texts, "SELECT length($1)").unwrap();
    assert_eq!(int(early, "calls"), 3);
    assert_eq!(*cell(early, "evicted"), Cell::Bool(false));
    assert_eq!(*cell(early, "plan_ms"), Cell::Null);
    assert_eq!(*cell(early, "interval_secs"), Cell::Float(290.0));
    assert_eq!(
        (text(early, "role"), text(early, "database")),
        ("app", "postgres")
    );
    assert_eq!(
        int(of(&second, &texts, "SELECT upper($1)").unwrap(), "calls"),
        2
    );
    of(&second, &texts, "CREATE ROLE guest PASSWORD").unwrap();
    let roles: Vec<&str> = second
        .of::<StatementSample>()
        .iter()
        .map(|row| text(row, "role"))
        .collect();
    assert!(roles.iter().all(|role| *role == "app"), "{roles:?}");

    let third = ticks.slow().await;
    assert_eq!(third.of::<StatementText>().len(), 0, "nothing new");
    assert_eq!(
        third.of::<StatementSample>().len(),
        0,
        "nobody worked: {third:#?}"
    );

    // Enough other statements, more often used, to drive the early one out; then it returns.
    for columns in 2..220 {
        run(&format!("SELECT {}", vec!["1"; columns].join(", ")), 15).await;
    }
    let fourth = ticks.slow().await;
    texts.extend(fourth.of::<StatementText>().into_iter().cloned());
    assert!(int(fourth.one::<StatementStore>(), "dealloc") > 0);
    assert!(int(fourth.one::<StatementStore>(), "entries") <= 100);
    // More often than the others, so that what the collector itself asks does not drive it out again.
    run("SELECT length('a')", 30).await;
    let fifth = ticks.slow().await;
    let early = of(&fifth, &texts, "SELECT length($1)").unwrap();
    assert_eq!(int(early, "calls"), 30);
    assert_eq!(*cell(early, "evicted"), Cell::Bool(true));

    server
        .sql("SELECT pg_stat_statements_reset()")
        .await
        .unwrap();
    run("SELECT length('a')", 40).await;
    let sixth = ticks.slow().await;
    let early = of(&sixth, &texts, "SELECT length($1)").unwrap();
    assert_eq!(
        int(early, "calls"),
        40,
        "more than before the reset, and no difference"
    );
    assert_eq!(*cell(early, "evicted"), Cell::Bool(true));

    for rows in [first, second, third, fourth, fifth, sixth] {
        assert!(!format!("{rows:?}").contains("TopSecret"));
    }
    ticks.watcher.close().await;
}
