//! P1 and P17: the agent dies at any instant, or is stopped at any instant.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, settle_and_check, times};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use testkit::Dice;

/// Four hosts at a time, as they mostly sleep.
const HOSTS: usize = 4;

#[tokio::test]
async fn p01_kill_at_any_instant_loses_and_doubles_nothing() {
    let rounds = times(32, 600, 2000).div_ceil(HOSTS);
    let hosts = (0..HOSTS).map(|host| async move {
        let database = database().await;
        let home = Home::new(&database.target());
        let mut dice = Dice::new(host as u64);
        for _ in 0..rounds {
            let agent = home.start();
            tokio::time::sleep(Duration::from_millis(dice.below(3000))).await;
            agent.kill();
        }
        settle_and_check(&home, &database.target()).await;
    });
    futures_util::future::join_all(hosts).await;
}

#[tokio::test]
async fn p17_sigterm_at_any_instant_ends_in_order() {
    let rounds = times(28, 400, 1000).div_ceil(HOSTS);
    let hosts = (0..HOSTS).map(|host| async move {
        let database = database().await;
        let home = Home::new(&database.target());
        let mut dice = Dice::new(100 + host as u64);
        let mut early = 0;
        for round in 1..=rounds {
            let agent = home.start();
            tokio::time::sleep(Duration::from_millis(100 + dice.below(2000))).await;
            let (status, took) = tokio::task::spawn_blocking(move || agent.terminate())
                .await
                .unwrap();
            let log = std::fs::read_to_string(home.dir.path().join("log")).unwrap();
            // Before its handler stands, on a machine that is busy, the signal's default action
            // ends it; that is P1. From then on it ends in order.
            let listens = log.matches("INFO started").count() == round - early;
            if !listens && status.signal() == Some(15) {
                early += 1;
                continue;
            }
            assert!(status.success(), "{status}\n{log}");
            assert!(
                took < Duration::from_secs(5),
                "the promise is five seconds: {took:?}"
            );
        }
        settle_and_check(&home, &database.target()).await;
    });
    futures_util::future::join_all(hosts).await;
}

#[tokio::test]
async fn p17_sigterm_ends_in_order_without_a_database() {
    let home = Home::new(&pg::Target::new("/nonexistent", 5432, "none", "none"));
    let agent = home.start();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (status, took) = agent.terminate();
    assert!(status.success(), "{status}");
    assert!(
        took < Duration::from_secs(5),
        "the promise is five seconds: {took:?}"
    );
}

/// P4, the same spool: the second reports who has it and waits, and takes over when the first ends.
#[tokio::test]
async fn p04_a_second_agent_on_one_spool_waits() {
    let database = database().await;
    let home = Home::new(&database.target());
    let first = home.start();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut second = home.start();
    let pid = first.child.id().to_string();
    second
        .until("it reports who has the spool", async || {
            first.log().contains(&format!("in use by process {pid}"))
        })
        .await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    first.kill();
    let log = home.dir.path().join("log");
    second
        .until("it takes over", async || {
            std::fs::read_to_string(&log)
                .unwrap()
                .matches("connected; delivering")
                .count()
                >= 2
        })
        .await;
    second.terminate();
    settle_and_check(&home, &database.target()).await;
}
