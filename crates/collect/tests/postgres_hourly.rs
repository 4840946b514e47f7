//! What is asked once an hour stands in between, and goes when it is no longer found.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Rows, Ticks, builder, do_each, instance_as, int, text};
use schema::tables::{CheckSample, DatabaseSample, IndexSample, VisibilityGap};

/// Objects that a check gave.
fn found<'a>(rows: &'a Rows, check: &str) -> Vec<&'a str> {
    let rows = rows.of::<CheckSample>().into_iter();
    let of_check = rows.filter(|row| text(row, "check_name") == check);
    of_check.map(|row| text(row, "object")).collect()
}

#[tokio::test]
async fn findings_of_the_hour_stand_until_the_check_ran_again() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE TABLE t (a int, b int)",
            "CREATE INDEX once ON t (a)",
            "CREATE INDEX twice ON t (a)",
            "REVOKE SELECT ON pg_settings FROM PUBLIC",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance_as(&server, "watcher"));
    let definition = |rows: &Rows| {
        let index = rows.with::<IndexSample>("index_name", "once");
        text(index, "definition").to_owned()
    };
    let first = ticks.slow().await;
    assert_eq!(found(&first, "duplicate_indexes"), ["public.twice"]);
    assert!(definition(&first).contains("(a)"));
    let fast = ticks.fast().await;
    let settings = fast.with::<VisibilityGap>("family", "settings");
    assert_eq!(text(settings, "state"), "denied");
    let size = |rows: &Rows| {
        let row = rows.with::<DatabaseSample>("database", "postgres");
        int(row, "size_bytes")
    };
    let before = size(&fast);

    do_each(
        &server,
        &[
            "DROP INDEX twice",
            "ALTER TABLE t RENAME COLUMN a TO c",
            "CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)",
            "GRANT SELECT ON pg_settings TO PUBLIC",
        ],
    )
    .await;
    let second = ticks.slow().await;
    assert_eq!(
        found(&second, "duplicate_indexes"),
        ["public.twice"],
        "it stands"
    );
    let [at, ..] = second.of::<CheckSample>()[..] else {
        panic!("no findings")
    };
    assert!(
        second.0.iter().all(|row| row.ts == at.ts),
        "all of one tick"
    );
    assert!(
        definition(&second).contains("(a)"),
        "as the server reported"
    );
    assert!(
        !found(&second, "settings").is_empty(),
        "what failed is asked again at once"
    );
    let fast = ticks.fast().await;
    assert!(fast.find::<VisibilityGap>("family", "settings").is_none());
    assert_eq!(size(&fast), before);

    let mut hour = Vec::new();
    for _ in 0..13 {
        hour = vec![ticks.slow().await, ticks.fast().await];
    }
    assert_eq!(found(&hour[0], "duplicate_indexes"), [""; 0], "it is gone");
    assert!(!found(&hour[0], "settings").is_empty(), "it stands");
    assert!(definition(&hour[0]).contains("(c)"));
    assert!(size(&hour[1]) > before);
    ticks.watcher.close().await;
}
