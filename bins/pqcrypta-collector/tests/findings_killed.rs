//! kill -9 at every named place between judging, queue and transaction, and while findings are read back: the history of
//! a finding is complete, nothing is double, and an open finding goes on as the same one.
//!
//! The finding is a zombie, which is reported from its third tick on. A first run dies while the beginning is on its
//! way, a second one while the end is, each at a pass of its own.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Agent, Home, check, database, number, text, times, wait_for_sessions};
use futures_util::{FutureExt, StreamExt};
use pg::Target;
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Places that each tick, each batch of transitions or each start passes, with the passes that are let through: those
/// before the tick that reports the zombie, and one to spare.
const PLACES: [(&str, &[u32]); 14] = [
    ("queue.append", &[1, 2, 3]),
    ("queue.appended", &[1, 2, 3]),
    ("spool.append.before_write", &[3, 5]),
    ("spool.append.mid_write", &[3, 5]),
    ("spool.append.after_sync", &[3, 5]),
    ("writer.begin", &[2, 3]),
    ("writer.insert", &[2, 3]),
    ("writer.findings", &[0]),
    ("writer.mark", &[2, 3]),
    ("writer.commit", &[2, 3]),
    ("writer.committed", &[2, 3]),
    ("judging.restore", &[0]),
    ("judging.restored", &[0]),
    ("judging.settled", &[0]),
];

/// Hosts at a time; they mostly sleep.
const AT_ONCE: usize = 6;

#[tokio::test]
async fn a_finding_has_one_history_wherever_its_collector_dies() {
    let all: Vec<String> = PLACES
        .iter()
        .flat_map(|(place, passes)| passes.iter().map(move |n| format!("{place}={n}+1*abort")))
        .collect();
    let part = all.len() / times(all.len() / 2, all.len(), all.len());
    let cases: Vec<String> = all.into_iter().step_by(part).collect();
    let count = cases.len();
    let failed: Vec<String> = futures_util::stream::iter(cases)
        .map(|case| async move {
            let outcome = AssertUnwindSafe(die_at(&case)).catch_unwind().await;
            outcome.err().map(|_| case)
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |case| case)
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "of {count} cases these failed, as printed above: {failed:?}"
    );
    println!("{count} cases");
}

/// A process that has ended and is not asked how. Each has a name of its own: several of one name would be one finding.
struct Zombie {
    child: Child,
    name: String,
    _folder: tempfile::TempDir,
}

impl Zombie {
    fn begin() -> Self {
        static BEGUN: AtomicU32 = AtomicU32::new(0);
        let name = format!("gone{}", BEGUN.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(&name);
        std::os::unix::fs::symlink("/bin/true", &path).unwrap();
        let child = Command::new(path).stdin(Stdio::null()).spawn().unwrap();
        Self {
            child,
            name,
            _folder: folder,
        }
    }
}

impl Drop for Zombie {
    fn drop(&mut self) {
        drop(self.child.wait());
    }
}

async fn die_at(case: &str) {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let zombie = Zombie::begin();
    let of = format!(
        "rule = 'process_state' and target = '{} {}'",
        zombie.name,
        zombie.child.id()
    );
    let open =
        format!("select count(*) from collector.findings where {of} and resolved_at is null");
    let ended =
        format!("select count(*) from collector.findings where {of} and resolved_at is not null");

    let agent = home.start_with(&[("FAILPOINTS", case)]);
    let agent = survive(&home, &target, agent, &open).await;
    let identity =
        format!("select (finding_id, opened_at)::text from collector.findings where {of}");
    let begun = text(&target, &identity).await;
    // It may have died before that, or does now.
    let samples = "select count(*) from collector.system_metrics_raw";
    let before = number(&target, samples).await;
    let goes_on = format!(
        "select (count(*) > {})::int from collector.system_metrics_raw",
        before + 4
    );
    let agent = survive(&home, &target, agent, &goes_on).await;
    agent.kill();

    drop(zombie);
    let agent = home.start_with(&[("FAILPOINTS", case)]);
    let agent = survive(&home, &target, agent, &ended).await;
    agent.kill();
    wait_for_sessions(&target).await;

    assert_eq!(
        text(&target, &identity).await,
        begun,
        "{case}: it is the same finding"
    );
    let number_of = format!("select count(*) from collector.findings where {of}");
    assert_eq!(number(&target, &number_of).await, 1, "{case}");
    let history = format!(
        "select string_agg(transition, ' ' order by ts) from collector.finding_transitions_raw where {of}"
    );
    let history = text(&target, &history).await;
    let words: Vec<&str> = history.split(' ').collect();
    let middle = &words[1..words.len() - 1];
    assert!(
        words.first() == Some(&"opened")
            && words.last() == Some(&"resolved")
            && middle.iter().all(|word| *word == "refreshed"),
        "{case}: {history}"
    );
    let twice = format!(
        "select count(*) - count(distinct ts) from collector.finding_transitions_raw where {of}"
    );
    assert_eq!(number(&target, &twice).await, 0, "{case}: {history}");
    check(&target).await;
}

/// Waits until a query gives 1; a collector that dies before is started again, without a fault.
async fn survive(home: &Home, target: &Target, mut agent: Agent, reached: &str) -> Agent {
    for _ in 0..600 {
        if agent.child.try_wait().unwrap().is_some() {
            agent = home.start();
            break;
        }
        if number(target, reached).await == 1 {
            return agent;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    agent
        .until("it is stored", async || number(target, reached).await == 1)
        .await;
    agent
}
