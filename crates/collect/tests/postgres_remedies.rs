//! Each remedy fixes what it reports, and names no right that the role has.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Rows, Ticks, builder, do_each, instance_as, text};
use schema::tables::{CheckSample, VisibilityGap};
use testkit::Server;

/// A server with a watcher that has what the documentation asks for.
async fn furnished(steps: &[&str]) -> Server {
    let server = builder().start().unwrap();
    let first = [
        "CREATE ROLE watcher LOGIN",
        "GRANT pg_read_all_stats TO watcher",
    ];
    do_each(&server, &first).await;
    do_each(&server, steps).await;
    server
}

async fn look(ticks: &mut Ticks) -> Rows {
    ticks.slow().await;
    ticks.fast().await
}

/// Applies what is advised for this family until it is seen, and gives what was advised.
async fn fixed(server: &Server, ticks: &mut Ticks, family: &str) -> Vec<String> {
    let mut advised = Vec::new();
    for _ in 0..5 {
        let rows = look(ticks).await;
        let Some(gap) = rows.find::<VisibilityGap>("family", family) else {
            return advised;
        };
        let remedy = text(gap, "remedy").to_owned();
        assert!(
            !advised.contains(&remedy),
            "{remedy} fixes nothing: {gap:?}"
        );
        let database = match text(gap, "database") {
            "" => "postgres",
            database => database,
        };
        let options = pg::SessionOptions {
            search_path: "public".to_owned(),
            ..pg::SessionOptions::default()
        };
        let target = server.target().with_database(database);
        let session = pg::connect(&target, &options, "fixer").await.unwrap();
        let applied = session.client.batch_execute(&remedy).await;
        applied.unwrap_or_else(|error| panic!("{remedy}: {error}"));
        advised.push(remedy);
    }
    panic!("{family} is not fixed by {advised:?}");
}

#[tokio::test]
async fn rights_that_are_missing_are_named_and_no_others() {
    let server = furnished(&[
        "CREATE SCHEMA \"Ext\"",
        "CREATE EXTENSION pg_stat_statements SCHEMA \"Ext\"",
        "CREATE SEQUENCE one",
        "CREATE SCHEMA shut",
        "CREATE SEQUENCE shut.two",
        "CREATE TABLE big AS SELECT repeat('x', 500) AS t FROM generate_series(1, 2000)",
        "ANALYZE big",
    ])
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let cases = [
        (
            "SELECT 1",
            "sequences",
            vec![
                "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, shut TO watcher; /* in database postgres */",
            ],
        ),
        (
            "REVOKE EXECUTE ON FUNCTION \"Ext\".pg_stat_statements(boolean) FROM PUBLIC",
            "statements",
            vec![
                "GRANT EXECUTE ON FUNCTION \"Ext\".pg_stat_statements(boolean) TO watcher; /* in database postgres */",
            ],
        ),
        (
            "REVOKE pg_read_all_stats FROM watcher",
            "activity",
            vec!["GRANT pg_read_all_stats TO watcher;"],
        ),
        (
            "REVOKE SELECT ON pg_stat_activity FROM PUBLIC",
            "sessions",
            vec!["GRANT SELECT ON pg_stat_activity TO watcher; /* in database postgres */"],
        ),
        (
            "REVOKE SELECT ON pg_locks FROM PUBLIC",
            "locks",
            vec!["GRANT SELECT ON pg_locks TO watcher; /* in database postgres */"],
        ),
    ];
    let opened = fixed(&server, &mut ticks, "statements").await;
    assert_eq!(
        opened,
        ["GRANT USAGE ON SCHEMA \"Ext\" TO watcher; /* in database postgres */"]
    );
    for (breach, family, expected) in cases {
        do_each(&server, &[breach]).await;
        let advised = fixed(&server, &mut ticks, family).await;
        assert_eq!(advised, expected, "{breach}");
    }
    // Looking at bloat is proposed instead of reading every table.
    let advised = fixed(&server, &mut ticks, "table_bloat").await;
    assert!(
        advised[0].starts_with("CREATE EXTENSION pgstattuple;"),
        "{advised:?}"
    );
    ticks.watcher.close().await;

    // A member that does not inherit.
    do_each(
        &server,
        &[
            "CREATE ROLE lazy LOGIN NOINHERIT",
            "GRANT pg_read_all_stats TO lazy",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "lazy"));
    let advised = fixed(&server, &mut ticks, "activity").await;
    assert!(advised[0].contains("INHERIT"), "{advised:?}");
    ticks.watcher.close().await;
}

#[tokio::test]
async fn settings_and_databases_are_mended_where_they_are_set() {
    let server = furnished(&[
        "CREATE DATABASE \"Shut\"",
        "REVOKE CONNECT ON DATABASE \"Shut\" FROM PUBLIC",
        "ALTER SYSTEM SET track_wal_io_timing = on",
        "ALTER DATABASE postgres SET track_io_timing = off",
        "SELECT pg_reload_conf()",
    ])
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let rows = look(&mut ticks).await;
    let gap = rows.with::<VisibilityGap>("family", "track_io_timing");
    assert_eq!(
        text(gap, "remedy"),
        "ALTER DATABASE postgres RESET track_io_timing;"
    );
    let gap = rows.with::<VisibilityGap>("database", "Shut");
    let remedy = "GRANT CONNECT ON DATABASE \"Shut\" TO watcher;";
    assert_eq!(text(gap, "remedy"), remedy);
    let gap = rows.with::<VisibilityGap>("family", "statements");
    let create = "CREATE EXTENSION pg_stat_statements; /* in database postgres */";
    assert_eq!(text(gap, "remedy"), create);
    do_each(&server, &[remedy, create]).await;
    let rows = look(&mut ticks).await;
    assert!(rows.find::<VisibilityGap>("database", "Shut").is_none());
    assert!(rows.find::<VisibilityGap>("family", "statements").is_none());

    do_each(
        &server,
        &["ALTER DATABASE \"Shut\" ALLOW_CONNECTIONS false"],
    )
    .await;
    ticks.watcher.close().await;
    let mut named = instance_as(&server, "watcher");
    named.databases = collect::postgres::Databases::Named(vec!["Shut".to_owned()]);
    let mut ticks = Ticks::new(named);
    let advised = fixed_elsewhere(&server, &mut ticks).await;
    assert_eq!(advised, "ALTER DATABASE \"Shut\" ALLOW_CONNECTIONS true;");
    ticks.watcher.close().await;
}

/// The remedy for the one database that cannot be entered, after which it can.
async fn fixed_elsewhere(server: &Server, ticks: &mut Ticks) -> String {
    let rows = look(ticks).await;
    let remedy = text(rows.with::<VisibilityGap>("family", "database"), "remedy").to_owned();
    do_each(server, &[&remedy]).await;
    let rows = look(ticks).await;
    assert!(rows.find::<VisibilityGap>("family", "database").is_none());
    remedy
}

#[tokio::test]
async fn settings_are_those_of_a_new_session() {
    let server = furnished(&[]).await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let slow = ticks.slow().await;
    let reported = |rows: &Rows, name: &str| {
        let rows = rows.of::<CheckSample>().into_iter();
        let mut rows = rows.filter(|row| text(row, "check_name") == "settings");
        let row = rows.find(|row| text(row, "object") == name).unwrap();
        text(row, "detail").to_owned()
    };
    for name in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        let detail = reported(&slow, name);
        assert!(detail.contains("\"setting\": \"0\""), "{name}: {detail}");
        assert!(
            detail.contains("\"source\": \"default\""),
            "{name}: {detail}"
        );
    }
    ticks.watcher.close().await;

    // What is set for the watcher alone is nobody else's.
    do_each(
        &server,
        &[
            "ALTER ROLE watcher SET statement_timeout = '7s'",
            "ALTER SYSTEM SET idle_in_transaction_session_timeout = '9s'",
            "SELECT pg_reload_conf()",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let slow = ticks.slow().await;
    let detail = reported(&slow, "statement_timeout");
    assert!(detail.contains("\"setting\": null"), "{detail}");
    let detail = reported(&slow, "idle_in_transaction_session_timeout");
    assert!(detail.contains("\"setting\": \"9000\""), "{detail}");
    ticks.watcher.close().await;
}
