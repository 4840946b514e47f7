//! Findings of the tick, by the whole program: on a real cause, through kills and without a database.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, text, times};
use pg::Target;
use schema::Sample;
use schema::tables::FindingTransition;
use std::path::Path;
use std::process::{Command, Stdio};
use store::spool::Reader;
use store::tuple;
use testkit::{Server, Stop, connect, hold, migrate};

/// The confirmed open findings that nothing else explains; what else began with them on a busy machine, so that all are one
/// incident, does not. That the servers of tests do not sync is true, and not the question.
async fn problems(target: &Target, domain: &str) -> String {
    let sql = format!(
        "select coalesce(string_agg(rule, ' ' order by rule), '') from collector.findings \
         where domain = '{domain}' and confirmed_at is not null and resolved_at is null \
         and (cause_rule is null or cause_rule = 'correlation') \
         and rule not like 'check.settings%'"
    );
    text(target, &sql).await
}

/// The transitions of a rule in their order, refreshes left out.
async fn history(target: &Target, rule: &str) -> String {
    let sql = format!(
        "select coalesce(string_agg(transition, ' ' order by ts), '') from collector.finding_transitions_raw \
         where rule = '{rule}' and transition <> 'refreshed'"
    );
    text(target, &sql).await
}

#[tokio::test]
async fn a_lock_is_one_problem_that_survives_a_kill_and_ends_with_its_cause() {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let session = connect(&target).await.unwrap();
    let table = "create table public.held (id int); insert into public.held values (1)";
    session.client.batch_execute(table).await.unwrap();
    let agent = home.start();
    let blocker = hold(&target, "update public.held set id = 2")
        .await
        .unwrap();
    let waiting: Vec<_> = [3, 4]
        .map(|id| {
            let target = target.clone();
            tokio::spawn(async move {
                let session = connect(&target).await.unwrap();
                let update = format!(
                    "set lock_timeout = 0; set statement_timeout = 0; update public.held set id = {id}"
                );
                session.client.batch_execute(&update).await.unwrap();
            })
        })
        .into();
    let mut agent = agent;
    agent
        .until("the lock is the problem of the server", async || {
            problems(&target, "db").await == "db.longest_lock_wait_secs"
        })
        .await;
    let lock = "select message || '|' || action_sql from collector.findings where rule = 'db.longest_lock_wait_secs'";
    let said = text(&target, lock).await;
    let pid = text(&target, "select pid from pg_stat_activity where query like '%held set id = 2%' and state = 'idle in transaction'").await;
    assert!(said.starts_with(&format!("PID {pid} (")), "{said}");
    assert!(said.contains("blocks 2 sessions"), "{said}");
    assert!(
        said.ends_with(&format!("|SELECT pg_terminate_backend({pid});")),
        "{said}"
    );
    let since = "select opened_at from collector.findings where rule = 'db.longest_lock_wait_secs'";
    let opened = text(&target, since).await;

    agent.kill();
    let mut agent = home.start();
    let runs = "select count(*) from collector.agent_runs";
    agent
        .until("it goes on", async || {
            let refreshed = "select count(*) from collector.findings f, (select max(started_at) as at from collector.agent_runs) r \
                             where f.rule = 'db.longest_lock_wait_secs' and f.seen_at > r.at";
            number(&target, runs).await == 2 && number(&target, refreshed).await == 1
        })
        .await;
    assert_eq!(text(&target, since).await, opened, "it is the same finding");

    drop(blocker);
    for one in waiting {
        one.await.unwrap();
    }
    let open = "select count(*) from collector.findings where rule = 'db.longest_lock_wait_secs' and resolved_at is null";
    agent
        .until("it ended", async || {
            number(&target, open).await == 0 && problems(&target, "db").await.is_empty()
        })
        .await;
    let history = history(&target, "db.longest_lock_wait_secs").await;
    assert!(
        matches!(
            history.as_str(),
            "opened resolved" | "opened worse resolved"
        ),
        "{history}"
    );
    agent.terminate();
}

#[tokio::test]
async fn an_unreachable_database_is_noticed_without_it_and_stored_once_after_its_return() {
    let server = Server::new().unwrap();
    let target = server.target();
    migrate(&target).await.unwrap();
    let home = Home::new(&target);
    let mut agent = home.start();
    agent
        .until("samples are stored", async || {
            number(&target, "select count(*) from collector.system_metrics_raw").await > 2
        })
        .await;
    server.stop(Stop::Fast).unwrap();
    // What begins and ends meanwhile is judged as ever, and its history waits in the queue.
    let mut zombie = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    let of_zombie = format!("\"true {}\"", zombie.id());
    let has = |transition: &str| {
        let mut rows = waiting(&home.queue()).into_iter();
        let word = format!("\"{transition}\"");
        rows.any(|row| row.contains(&of_zombie) && row.contains(&word))
    };
    agent
        .until("a zombie is found", async || has("opened"))
        .await;
    zombie.wait().unwrap();
    agent
        .until("its end is found", async || has("resolved"))
        .await;
    // Confirmed after twenty seconds; what waits in the queue then is its history.
    agent
        .until("the queue has the finding", async || {
            let waiting = waiting(&home.queue());
            waiting
                .iter()
                .any(|row| row.contains("collector.db_healthy") && row.contains("\"confirmed\""))
        })
        .await;
    server.start().unwrap();
    agent
        .until("it ended", async || {
            let ended = "select count(*) from collector.findings where rule = 'collector.db_healthy' \
                         and confirmed_at is not null and resolved_at is not null";
            number(&target, ended).await == 1
        })
        .await;
    let history = history(&target, "collector.db_healthy").await;
    assert!(history.ends_with("opened confirmed resolved"), "{history}");
    assert_eq!(history.matches("confirmed").count(), 1, "{history}");
    let of_zombie = format!("rule = 'process_state' and target = 'true {}'", zombie.id());
    let found = format!(
        "select coalesce(string_agg(message || ' ' || (resolved_at is not null), ', '), '') \
         from collector.findings where {of_zombie}"
    );
    let message = format!("true (PID {}) is a zombie true", zombie.id());
    assert_eq!(text(&target, &found).await, message);
    let twice = format!(
        "select string_agg(transition, ' ' order by ts) from collector.finding_transitions_raw where {of_zombie}"
    );
    assert_eq!(text(&target, &twice).await, "opened resolved");
    agent.terminate();
}

/// Returns the rows of transitions that wait in a queue, as JSON.
fn waiting(queue: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (_, record) in Reader::open_readonly(queue).unwrap() {
        for group in tuple::decode(&record.payload.into()).unwrap_or_default() {
            if group.table == FindingTransition::TABLE.name {
                found.extend(group.rows_as_json().map(|(row, ..)| row));
            }
        }
    }
    found
}

/// Objectives by the whole program. Two minutes of grace follow each start, so this has its turn with the long tiers.
#[tokio::test]
async fn objectives_are_judged_once_a_start_is_over() {
    if times(0, 1, 1) == 0 {
        return;
    }
    let database = database().await;
    let target = database.target();
    let define = "INSERT INTO collector.slo_definitions (slo_name, domain, metric, target_value, comparison, target_pct) VALUES \
                  ('no_memory', 'system', 'mem_used_pct', 0.001, 'lte', 50), ('unknown', 'system', 'no_such', 1, 'lte', 50)";
    database.sql(define).await.unwrap();
    let home = Home::new(&target);
    let mut agent = home.start();
    let settled = "select count(*) from collector.system_metrics_raw where ts > \
                   (select min(started_at) from collector.agent_runs) + interval '2 minutes'";
    let early = "select count(*) from collector.slo_tracking";
    // Each wait is of a minute at most.
    for secs in [50, 100, 130] {
        let past = format!(
            "select count(*) from collector.system_metrics_raw \
             where ts > (select min(started_at) from collector.agent_runs) + interval '{secs} seconds'"
        );
        agent
            .until("samples go on", async || number(&target, &past).await > 0)
            .await;
        if number(&target, settled).await == 0 {
            assert_eq!(number(&target, early).await, 0, "within the grace");
        }
    }
    let missed = "select count(*) from collector.slo_tracking where slo_name = 'no_memory' and met = false and total_periods > 0";
    agent
        .until("the objective is missed", async || {
            number(&target, missed).await > 0
        })
        .await;
    let fault = "select coalesce(max(target), '') from collector.findings where rule = 'slo_definition' and confirmed_at is not null";
    agent
        .until("the row that cannot be judged is told", async || {
            text(&target, fault).await == "unknown"
        })
        .await;
    let scores = "select count(*) from collector.health_scores";
    agent
        .until("health follows", async || number(&target, scores).await > 0)
        .await;
    let runs = "select count(*) from collector.collector_runs_raw where collector = 'slos' and outcome <> 'ok'";
    assert_eq!(number(&target, runs).await, 0);
}
