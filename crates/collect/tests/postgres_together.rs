//! Checks that are asked in one statement.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Rows, Ticks, builder, do_each, instance_as, text};
use schema::tables::{CheckSample, VisibilityGap};
use testkit::Server;

/// Checks of the server that always have a row.
const ALWAYS: [&str; 7] = [
    "archive_pending",
    "autovacuum_workers",
    "checkpoint_pressure",
    "connection_saturation",
    "temp_dir",
    "wal_dir",
    "wraparound",
];

/// Those of them that a tick answered.
fn answered(rows: &Rows) -> Vec<&'static str> {
    let has = |check: &&str| rows.find::<CheckSample>("check_name", check).is_some();
    ALWAYS.into_iter().filter(has).collect()
}

/// How often a statement ran that asks for files of WAL and for temporary ones.
async fn together(server: &Server, also: &str) -> i64 {
    let rows = server
        .sql(&format!(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements \
             WHERE query LIKE '%pg_ls_archive_statusdir%' AND query LIKE '%pg_ls_tmpdir%' AND query {also}"
        ))
        .await
        .unwrap();
    rows[0][0].as_deref().unwrap().parse().unwrap()
}

#[tokio::test]
async fn checks_are_one_statement_and_one_that_fails_costs_no_other() {
    const WITH: &str = "LIKE '%pg_ls_waldir%'";
    const WITHOUT: &str = "NOT LIKE '%pg_ls_waldir%'";
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "CREATE ROLE watcher LOGIN IN ROLE pg_monitor",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    for _ in 0..2 {
        assert_eq!(answered(&ticks.slow().await), ALWAYS);
    }
    assert_eq!(together(&server, WITH).await, 2);

    do_each(
        &server,
        &["REVOKE EXECUTE ON FUNCTION pg_ls_waldir() FROM pg_monitor"],
    )
    .await;
    let others: Vec<_> = ALWAYS
        .into_iter()
        .filter(|name| *name != "wal_dir")
        .collect();
    for _ in 0..2 {
        assert_eq!(answered(&ticks.slow().await), others);
        let gaps = ticks.fast().await;
        let gap = gaps.with::<VisibilityGap>("family", "wal_dir");
        assert_eq!(text(gap, "state"), "denied");
        let remedy = text(gap, "remedy");
        assert!(
            remedy.starts_with("GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO watcher;"),
            "{remedy}"
        );
        let of_checks = gaps.of::<VisibilityGap>();
        let others_fail = of_checks
            .iter()
            .any(|gap| others.contains(&text(gap, "family")));
        assert!(!others_fail, "{of_checks:?}");
    }
    let counted = (
        together(&server, WITH).await,
        together(&server, WITHOUT).await,
    );
    assert_eq!(
        counted,
        (2, 1),
        "alone at once, then without the one that failed"
    );

    do_each(
        &server,
        &["GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO watcher"],
    )
    .await;
    for _ in 0..2 {
        assert_eq!(answered(&ticks.slow().await), ALWAYS);
        let gaps = ticks.fast().await;
        assert!(gaps.find::<VisibilityGap>("family", "wal_dir").is_none());
    }
    assert_eq!(
        together(&server, WITH).await,
        3,
        "together again once it succeeded alone"
    );
    ticks.watcher.close().await;
}
