//! Leases: one agent writes for a host at a time, whoever dies, is cloned or comes back.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{RETENTION, Running, clock, database, rows, start_on, ts};
use std::time::Duration;
use store::status::{Keeper, Link};
use store::turn;
use store::writer::Host;
use tempfile::TempDir;

fn machine(hostname: &str, boot: &str) -> Host {
    Host {
        machine_id: "machine-1".into(),
        hostname: hostname.into(),
        boot_id: Some(boot.into()),
        ..Host::default()
    }
}

fn start(dir: &TempDir, database: &testkit::Database, hostname: &str, boot: &str) -> Running {
    let host = machine(hostname, boot);
    start_on(dir.path(), database.target(), host, RETENTION, clock)
}

async fn text(database: &testkit::Database, sql: &str) -> String {
    let rows = database.sql(sql).await.unwrap();
    rows[0][0].clone().unwrap()
}

async fn deliver(agent: &Running, tick: i64) {
    agent.queue.append(ts(tick), rows(tick, 1)).await.unwrap();
    agent.drained().await;
}

async fn is(agent: &Running, link: Link) {
    agent
        .until(link.as_str(), async || agent.status.get().link == link)
        .await;
}

/// Ends an agent as `kill -9` does.
async fn kill(agent: Running) {
    agent.task.abort();
    assert!(agent.task.await.unwrap_err().is_cancelled());
}

const IN_FORCE: &str =
    "select count(*)::text from collector.spool_watermark where lease_until > clock_timestamp()";

#[tokio::test]
async fn a_clone_waits_and_both_are_named() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let first = start(&dir, &database, "original", "boot-1");
    deliver(&first, 0).await;
    let second = start(&other, &database, "clone", "boot-2");
    is(&second, Link::Waiting).await;
    assert!(*second.standby.borrow(), "it samples nothing");
    let said = second.status.get().error.unwrap();
    for part in [
        "original (boot boot-1",
        "clone (boot boot-2",
        "process 1",
        "systemd-machine-id-setup",
        "[host]",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Whoever waits changes nothing of the host.
    let known = "select hostname || ' ' || boot_id from collector.hosts";
    assert_eq!(text(&database, known).await, "original boot-1");
    first.stop().await;
    is(&second, Link::Connected).await;
    assert_eq!(text(&database, known).await, "clone boot-2");
    second.stop().await;
    assert_eq!(text(&database, IN_FORCE).await, "0", "given back");
}

#[tokio::test]
async fn the_lease_of_a_dead_agent_ends_and_its_successor_does_not_wait() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let first = start(&dir, &database, "host", "boot-1");
    deliver(&first, 0).await;
    kill(first).await;
    assert_eq!(text(&database, IN_FORCE).await, "1");
    let most = "select (max(lease_until) <= clock_timestamp() + interval '30 seconds')::text from collector.spool_watermark";
    assert_eq!(text(&database, most).await, "true", "it ends by itself");

    // The same queue in the same boot: only one process can have it.
    let successor = start(&dir, &database, "host", "boot-1");
    deliver(&successor, 1).await;
    kill(successor).await;

    let second = start(&other, &database, "host", "boot-1");
    is(&second, Link::Waiting).await;
    let over = "update collector.spool_watermark set lease_until = clock_timestamp() where lease_until is not null";
    database.sql(over).await.unwrap();
    deliver(&second, 2).await;
    assert_eq!(text(&database, IN_FORCE).await, "1");
    second.stop().await;
}

#[tokio::test]
async fn an_agent_whose_lease_was_taken_stores_nothing_more() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let first = start(&dir, &database, "host", "boot-1");
    deliver(&first, 0).await;
    let second = start(&other, &database, "host", "boot-2");
    is(&second, Link::Waiting).await;
    // As if the first had been away for longer than its lease.
    let over = "update collector.spool_watermark set lease_until = clock_timestamp() \
        where lease_boot = 'boot-1' and lease_until is not null";
    second
        .until("the second has it", async || {
            database.sql(over).await.unwrap();
            second.status.get().link == Link::Connected
        })
        .await;
    first.queue.append(ts(1), rows(1, 1)).await.unwrap();
    is(&first, Link::Waiting).await;
    assert!(*first.standby.borrow());
    let stored = "select count(*)::text from collector.system_metrics_raw";
    assert_eq!(text(&database, stored).await, "1");
    deliver(&second, 2).await;
    assert_eq!(text(&database, stored).await, "2");
    // … and goes on once that stops.
    second.stop().await;
    is(&first, Link::Connected).await;
    first.stop().await;
}

#[tokio::test]
async fn an_agent_that_was_away_goes_on_if_nobody_came() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let agent = start(&dir, &database, "host", "boot-1");
    deliver(&agent, 0).await;
    database
        .sql("update collector.spool_watermark set lease_until = 'epoch'")
        .await
        .unwrap();
    deliver(&agent, 1).await;
    assert_eq!(text(&database, IN_FORCE).await, "1");
    assert_eq!(agent.status.get().connections, 1, "on the same connection");
    agent.stop().await;
}

/// A machine that was cloned with its queue, or is up again after a crash: the lease of the other boot is in force. It samples
/// meanwhile, as it cannot know which of the two it is.
#[tokio::test]
async fn the_same_queue_in_another_boot_waits_and_samples_at_first() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let first = start(&dir, &database, "host", "boot-1");
    deliver(&first, 0).await;
    kill(first).await;
    let second = start(&dir, &database, "host", "boot-2");
    second.queue.append(ts(1), rows(1, 1)).await.unwrap();
    is(&second, Link::Waiting).await;
    assert!(!*second.standby.borrow());
    database
        .sql("update collector.spool_watermark set lease_until = clock_timestamp()")
        .await
        .unwrap();
    second.drained().await;
    let stored = "select count(*)::text from collector.system_metrics_raw";
    assert_eq!(text(&database, stored).await, "2");
    second.stop().await;
}

/// A host that was renamed keeps its number and the name that it was given; one that was removed is back with what it delivers.
#[tokio::test]
async fn a_host_stays_the_same_whatever_its_name_and_comes_back() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let agent = start(&dir, &database, "old", "boot-1");
    deliver(&agent, 0).await;
    agent.stop().await;
    let named = "select string_agg(host_id || ' ' || hostname, ', ') from collector.hosts";
    let agent = start(&dir, &database, "new", "boot-1");
    deliver(&agent, 1).await;
    assert_eq!(text(&database, named).await, "1 new");
    agent.stop().await;
    let given = "update collector.hosts set hostname = 'given', is_renamed = true";
    database.sql(given).await.unwrap();
    let agent = start(&dir, &database, "newer", "boot-2");
    deliver(&agent, 2).await;
    assert_eq!(text(&database, named).await, "1 given");

    // As `pqcrypta host remove` does.
    let remove = "update collector.hosts set removed_at = now(); \
        update collector.spool_watermark set lease_until = null, lease_run = null";
    database.sql(remove).await.unwrap();
    deliver(&agent, 3).await;
    let back = "select (removed_at is null)::text from collector.hosts";
    assert_eq!(text(&database, back).await, "true");
    agent.stop().await;
}

/// One host has the turn of what is done for all; the others learn it from their heartbeats, and take it when it is over.
#[tokio::test]
async fn one_host_has_the_turn_and_the_others_know() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let agent = start(&dir, &database, "host", "boot-1");
    deliver(&agent, 0).await;
    let knows = async |keeper: Keeper| {
        agent
            .until("the heartbeat tells", async || {
                agent.status.get().keeper == keeper
            })
            .await;
    };
    assert_eq!(agent.status.get().keeper, Keeper::Nobody);
    let session = database.connect().await.unwrap();
    let take = async |host: i32| {
        let lasts = Duration::from_secs(600);
        let taken = turn::take(&session.client, turn::HISTORY, host, lasts).await;
        taken.unwrap()
    };
    assert!(take(2).await);
    knows(Keeper::Other).await;
    assert!(!take(1).await && take(2).await, "prolonged");
    let over = "update collector.store_tasks set until = clock_timestamp()";
    database.sql(over).await.unwrap();
    knows(Keeper::Nobody).await;
    assert!(take(1).await && !take(2).await);
    knows(Keeper::This).await;
    // An earlier collector knows no column but these: it leaves out what is newer, so its turn keeps nobody away.
    let earlier = "update collector.store_tasks set host_id = 2, until = clock_timestamp() + interval '10 minutes'";
    database.sql(earlier).await.unwrap();
    knows(Keeper::Nobody).await;
    assert!(take(1).await && !take(2).await);
    // Nor does that of one that knows an older schema and these columns, and a newer one keeps its turn.
    let (older, newer) = (
        "update collector.store_tasks set host_id = 2, known_version = known_version - 1",
        "update collector.store_tasks set host_id = 2, known_version = known_version + 1",
    );
    database.sql(older).await.unwrap();
    assert!(take(1).await);
    database.sql(newer).await.unwrap();
    assert!(!take(1).await);
    knows(Keeper::Other).await;
    database
        .sql("delete from collector.store_tasks")
        .await
        .unwrap();
    assert!(take(1).await);
    knows(Keeper::This).await;
    // Upkeep is a turn of its own.
    assert_eq!(agent.status.get().upkeep, Keeper::Nobody);
    let lasts = Duration::from_secs(600);
    let taken = turn::take(&session.client, turn::UPKEEP, 2, lasts).await;
    assert!(taken.unwrap());
    agent
        .until("the heartbeat tells of upkeep", async || {
            let status = agent.status.get();
            (status.keeper, status.upkeep) == (Keeper::This, Keeper::Other)
        })
        .await;
    agent.stop().await;
}
