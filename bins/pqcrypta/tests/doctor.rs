//! `pqcrypta doctor` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

/// Partitions of today and tomorrow of a table.
const AHEAD: &str = "SELECT collector.ensure_partition(t.name, (now() AT TIME ZONE 'UTC')::date + d) \
    FROM unnest(ARRAY['heartbeat', 'collector_self_metrics', 'system_metrics_raw']) t(name), generate_series(0, 2) d";
/// A table of events that was written two days ago has today's partition, and none of tomorrow.
const RARE: &str =
    "SELECT collector.ensure_partition('change_markers', (now() AT TIME ZONE 'UTC')::date)";
const LOST: &str = "DO $$ BEGIN EXECUTE 'DROP TABLE collector.heartbeat_' \
    || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD'); END $$";

#[tokio::test]
async fn partitions_are_judged_where_they_are_made_ahead() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let found = || {
        let ran = common::run("doctor", &target, &[]);
        let line = ran.output.lines().find(|line| line.contains("partitions:"));
        line.unwrap_or(&ran.output).to_owned()
    };
    assert!(
        found()
            .contains("none for tomorrow of collector_self_metrics, heartbeat, system_metrics_raw"),
        "{}",
        found()
    );
    for sql in [AHEAD, RARE] {
        database.sql(sql).await.unwrap();
    }
    assert_eq!(found(), "ok    partitions: made ahead");
    database.sql(LOST).await.unwrap();
    let lost = found();
    assert!(
        lost.starts_with("warn  partitions: none for tomorrow of heartbeat; "),
        "{lost}"
    );
}
