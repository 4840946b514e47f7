//! Upkeep of the store by the whole program: measured, expired, and judged.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, settle_and_check, text};

/// What expired goes at the start, with its name in the log; and a budget that nothing can keep is a finding of the host
/// whose collector reports.
#[tokio::test]
async fn the_store_is_measured_expired_and_judged_at_the_start() {
    let database = database().await;
    let target = database.target();
    // Another host, whose clock is wrong, so that it does not report; it asks for a budget.
    database
        .sql(
            "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('other', 'other'); \
             INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, max_bytes, clock_wrong_since) \
             VALUES (1, 14, 90, 365, 7, 30, 1, now()); \
             SELECT collector.ensure_partition('db_metrics_raw', (now() AT TIME ZONE 'UTC')::date - n) FROM unnest(ARRAY[3, 20]) n",
        )
        .await
        .unwrap();
    let home = Home::new(&target);
    let mut agent = home.start();
    let ran = "select count(*) from collector.collector_runs_raw where collector = 'upkeep' and outcome = 'ok'";
    agent
        .until("upkeep ran", async || number(&target, ran).await > 0)
        .await;
    let open = "select coalesce(string_agg(severity || ' ' || rule || ' ' || target || ' of ' || host_id, ', ' order by rule), '') \
                from collector.findings where rule like 'store%' and resolved_at is null";
    let expected = "warn store_budget raw of 2, critical store_budget_exceeded  of 2";
    agent
        .until("its findings are stored", async || {
            text(&target, open).await == expected
        })
        .await;
    let left = "select count(*) from pg_class where relname ~ '^db_metrics_raw_[0-9]{8}$' and right(relname, 8) < to_char(now() - interval '2 days', 'YYYYMMDD')";
    assert_eq!(
        number(&target, left).await,
        0,
        "too old, and beyond the budget"
    );
    let measured = "select count(*) from collector.store_sizes";
    assert!(number(&target, measured).await > 20);
    let log = agent.log();
    assert!(log.contains("dropped an expired partition"), "{log}");
    assert!(log.contains("the store exceeds its budget"), "{log}");
    agent.kill();
    settle_and_check(&home, &target).await;
}
