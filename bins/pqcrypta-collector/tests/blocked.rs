//! What blocks storing is seen where it blocks, and no line's date can block it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::clock::Utc;
use common::{Home, database, number, settle_and_check, text};
use std::fmt::Write;
use std::fs;
use testkit::{Server, migrate};

const DAY: u64 = 86_400;

/// A log with one line a day for a month, one of next year's days without a year (which is last year's), one
/// dated 2033: on a disk whose fsync takes 4 ms all of it is stored, and the other log goes on meanwhile.
#[tokio::test]
async fn dates_in_lines_hold_up_nothing() {
    let server = Server::builder()
        .fsync()
        .setting("commit_delay", "4000")
        .setting("commit_siblings", "0")
        .start()
        .unwrap();
    migrate(&server.target()).await.unwrap();
    let home = Home::new(&server.target());
    let logs = home.dir.path().join("logs");
    let source = |name: &str, parser: &str| {
        let path = logs.join(format!("{name}.log"));
        format!(
            "[[logs.source]]\nname = \"{name}\"\npath = \"{}\"\nparser = \"{parser}\"\n",
            path.display()
        )
    };
    let sources = source("daily", "syslog") + &source("far", "simple_timestamp");
    home.configure(&server.target(), &sources);
    let mut agent = home.start();
    let target = server.target();
    let of = |source: &str| {
        format!("select count(*) from collector.log_entries where source = '{source}'")
    };
    agent
        .until("lines arrive", async || {
            number(&target, &of("app")).await > 0
        })
        .await;
    let now = Utc::now().secs;
    let mut daily = String::new();
    let days = (0..31)
        .rev()
        .map(|back| now - back * DAY)
        .chain([now + 30 * DAY]);
    for at in days {
        let at = Utc::at(at);
        writeln!(daily, "{} host1 app[1]: of that day", at.syslog()).unwrap();
    }
    fs::write(logs.join("daily.log"), daily).unwrap();
    let far = format!(
        "2033-03-03T03:03:03Z far\n{}Z near\n",
        Utc::now().instant('T')
    );
    fs::write(logs.join("far.log"), far).unwrap();
    let before = number(&target, &of("app")).await;
    agent
        .until("all lines are stored", async || {
            number(&target, &of("daily")).await == 32 && number(&target, &of("far")).await == 2
        })
        .await;
    agent
        .until("the other log goes on", async || {
            number(&target, &of("app")).await > before
        })
        .await;
    let days = |table: &str| {
        format!(
            "select count(*) from pg_class where relispartition and relkind = 'r' and relname ~ '^{table}_[0-9]{{8}}$'"
        )
    };
    let lines = number(&target, &days("log_entries")).await;
    assert!(
        (8..=10).contains(&lines),
        "a week back and two days ahead: {lines}"
    );
    let host = number(&target, &days("system_metrics_raw")).await;
    assert!((1..=3).contains(&host), "no days of lines: {host}");
    let log = agent.log();
    assert!(!log.contains("logs wait in their sources"), "{log}");
    agent.kill();
    settle_and_check(&home, &target).await;
}

/// A table of lines that is locked: every source says so and has a backlog, samples go on, the log names each
/// condition once, and all is over when the lock is.
#[tokio::test]
async fn what_blocks_storing_is_a_backlog_of_every_source() {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let mut agent = home.start();
    let newest = "select status || ' ' || (backlog_bytes > 0)::text || ' ' || coalesce(error, '') \
                  from collector.log_sources_raw where source = 'app' order by ts desc limit 1";
    agent
        .until("lines are stored", async || {
            text(&target, "select count(*) from collector.log_entries").await != "0"
                && text(&target, newest).await.starts_with("ok")
        })
        .await;
    let lock = "LOCK TABLE collector.log_entries, collector.heartbeat IN ACCESS EXCLUSIVE MODE";
    let locker = testkit::hold(&target, lock).await.unwrap();
    agent
        .until("its lines are blocked", async || {
            let state = text(&target, newest).await;
            state.starts_with("blocked true its lines cannot be stored")
        })
        .await;
    let stored = "select count(*) from collector.system_metrics_raw";
    let before = number(&target, stored).await;
    agent
        .until("samples go on", async || {
            number(&target, stored).await > before + 4
        })
        .await;
    locker.client.batch_execute("COMMIT").await.unwrap();
    agent
        .until("lines are stored again", async || {
            text(&target, newest).await.starts_with("ok")
        })
        .await;
    let log = agent.log();
    for once in ["logs wait in their sources", "the heartbeat failed"] {
        assert_eq!(log.matches(once).count(), 1, "{once}:\n{log}");
    }
    agent.kill();
    settle_and_check(&home, &target).await;
}
