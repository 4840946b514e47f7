//! How many sessions with the store a collector has.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, settle_and_check, text};

/// Makes a role with the rights of a collector, limited to so many sessions. Returns a target that logs in as it.
async fn limited(database: &testkit::Database, sessions: u32) -> pg::Target {
    let mut target = database.target();
    target.user = format!("few_of_{}", target.database);
    let role = &target.user;
    let made = format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT {sessions} IN ROLE pg_read_all_stats; \
         GRANT USAGE ON SCHEMA collector TO {role}; \
         GRANT ALL ON ALL TABLES IN SCHEMA collector TO {role}; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA collector TO {role}; \
         GRANT ALL ON ALL FUNCTIONS IN SCHEMA collector TO {role}"
    );
    database.sql(&made).await.unwrap();
    target
}

async fn drop_role(database: &testkit::Database, target: &pg::Target) {
    let role = &target.user;
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    database.sql(&drop).await.unwrap();
}

/// Jobs that ran well.
const JOBS: &str = "select coalesce(string_agg(distinct collector, ' ' order by collector), '') from collector.collector_runs_raw \
                    where collector in ('findings', 'upkeep', 'history', 'baselines') and outcome = 'ok'";
/// Jobs that failed.
const FAILED: &str = "select coalesce(string_agg(distinct collector || ': ' || error, '; '), '') from collector.collector_runs_raw \
                      where collector in ('findings', 'upkeep', 'history', 'baselines', 'slos') and outcome <> 'ok'";
const ALL_JOBS: &str = "baselines findings history upkeep";

/// A role of one host may have six sessions (`pqcrypta host add`): delivery, logs, the statistics of the store and every job fit
/// into them. The server refuses a seventh.
#[tokio::test]
async fn six_sessions_are_enough_for_everything() {
    let database = database().await;
    let owner = database.target();
    let limited = limited(&database, 6).await;
    let home = Home::new(&limited);
    let mut agent = home.start();
    agent
        .until("every job ran", async || {
            text(&owner, JOBS).await == ALL_JOBS
        })
        .await;
    assert_eq!(text(&owner, FAILED).await, "");
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
    drop_role(&database, &limited).await;
}

/// With room for a single session, delivery has it: what needs another one waits, no job counts as failed, and one finding names
/// the limit and what to run. Once the limit is raised everything goes on by itself.
#[tokio::test]
async fn a_limit_that_is_too_low_is_one_finding_and_holds_up_no_delivery() {
    let database = database().await;
    let owner = database.target();
    let limited = limited(&database, 1).await;
    let home = Home::new(&limited);
    let mut agent = home.start();
    let told = "select coalesce(string_agg(distinct message || ' | ' || coalesce(action_sql, ''), '; '), '') from collector.findings \
                where rule = 'store_connections' and confirmed_at is not null and message like 'Role%'";
    agent
        .until("the limit is named", async || {
            !text(&owner, told).await.is_empty()
        })
        .await;
    let role = &limited.user;
    assert_eq!(
        text(&owner, told).await,
        format!(
            "Role {role} may have 1 connection to the database, and this collector needs more \
             | ALTER ROLE \"{role}\" CONNECTION LIMIT 6;"
        )
    );
    // What follows from it, at once or by one step, and nothing beside it.
    let others = "select coalesce(string_agg(distinct rule || ' ' || target || ' since ' || coalesce(cause_rule, 'nothing'), '; '), '') from collector.findings \
                  where confirmed_at is not null and resolved_at is null and rule <> 'store_connections' \
                  and rule in ('db.up', 'logs_blocked', 'collector_failed', 'collector.db_healthy', 'no_data') \
                  and coalesce(cause_rule, '') not in ('store_connections', 'db.up')";
    agent
        .until("the others follow from it", async || {
            text(&owner, others).await.is_empty()
        })
        .await;
    let samples = "select count(*) from collector.system_metrics_raw";
    // Also when another session was quicker to take the room that delivery lost.
    for lost in [false, true] {
        if lost {
            let end = format!(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '{role}'"
            );
            database.sql(&end).await.unwrap();
        }
        let before = number(&owner, samples).await;
        agent
            .until("samples go on", async || {
                number(&owner, samples).await > before + 3
            })
            .await;
    }

    database
        .sql(&format!("ALTER ROLE {role} CONNECTION LIMIT 6"))
        .await
        .unwrap();
    agent
        .until("every job ran", async || {
            text(&owner, JOBS).await == ALL_JOBS
        })
        .await;
    let open = "select count(*) from collector.findings where rule = 'store_connections' and resolved_at is null";
    agent
        .until("the finding is over", async || {
            number(&owner, open).await == 0
        })
        .await;
    assert_eq!(text(&owner, FAILED).await, "");
    let log = agent.log();
    let refusals = log.matches("no room for a further session").count();
    assert!((1..=3).contains(&refusals), "{log}");
    assert!(!log.contains("a periodic job fails"), "{log}");
    agent.kill();
    settle_and_check(&home, &owner).await;
    drop_role(&database, &limited).await;
}
