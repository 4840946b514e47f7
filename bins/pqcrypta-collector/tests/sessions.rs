//! How many sessions with the store a collector has.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, settle_and_check, text};

/// A role of one host may have six sessions (`pqcrypta host add`): delivery, logs, the statistics of the store and every job fit
/// into them. The server refuses a seventh.
#[tokio::test]
async fn six_sessions_are_enough_for_everything() {
    let database = database().await;
    let owner = database.target();
    let role = format!("four_of_{}", owner.database);
    let made = format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 6 IN ROLE pg_read_all_stats; \
         GRANT USAGE ON SCHEMA collector TO {role}; \
         GRANT ALL ON ALL TABLES IN SCHEMA collector TO {role}; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA collector TO {role}; \
         GRANT ALL ON ALL FUNCTIONS IN SCHEMA collector TO {role}"
    );
    database.sql(&made).await.unwrap();
    let mut limited = owner.clone();
    limited.user.clone_from(&role);
    let home = Home::new(&limited);
    let mut agent = home.start();
    let jobs = "select coalesce(string_agg(distinct collector, ' ' order by collector), '') from collector.collector_runs_raw \
                where collector in ('findings', 'upkeep', 'history', 'baselines') and outcome = 'ok'";
    agent
        .until("every job ran", async || {
            text(&owner, jobs).await == "baselines findings history upkeep"
        })
        .await;
    let failed = "select coalesce(string_agg(distinct collector || ': ' || error, '; '), '') from collector.collector_runs_raw \
                  where collector in ('findings', 'upkeep', 'history', 'baselines') and outcome <> 'ok'";
    assert_eq!(text(&owner, failed).await, "");
    let watched = "select count(*) from collector.db_metrics_raw";
    agent
        .until("the store is watched", async || {
            number(&owner, watched).await > 0
        })
        .await;
    let log = agent.log();
    assert!(!log.contains("too many connections"), "{log}");
    agent.kill();
    settle_and_check(&home, &owner).await;
    database
        .sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .unwrap();
}
