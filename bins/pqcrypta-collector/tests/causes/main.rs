//! Real causes on this machine, and the findings that follow: opened in time, with the right words, step and command,
//! and ended when the cause has ended.
//!
//! One collector watches all causes at once; each goes its own way from beginning to end. What takes minutes (rules
//! that wait for them, windows of ten minutes) has its turn with `FAULTS=nightly`. A cause that this machine cannot make is left
//! out, and the output names it and the reason.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod databases;
mod files;
mod finding;
mod lines;
mod peer;
mod programs;
mod resources;

use common::{Agent, Home, database, number, text};
use finding::Finding;
use programs::Programs;
use std::time::{Duration, Instant};
use testkit::{connect, texts};

/// A cause that can be made and ended.
trait Cause {
    /// Makes it.
    fn begin(&mut self);

    /// Returns what must be found. Called after it was made.
    fn expected(&self) -> Expected;

    /// Ends it.
    fn end(&mut self);

    /// Returns whether a test waits for what follows from its end, which a window may remember for long.
    fn has_end(&self) -> bool {
        true
    }

    /// Returns the change of the host that must be stored beside, as kind, subject, action, before and after.
    fn marker(&self) -> Option<&'static str> {
        None
    }
}

/// What must be found.
struct Expected {
    rule: &'static str,
    target: String,
    severity: &'static str,
    message: String,
    metric: &'static str,
    step: &'static str,
    /// The shell command or SQL.
    command: String,
    /// So many seconds the condition must hold; the finding is confirmed within as many ticks, one each second, and
    /// [`FIRST_TICKS`].
    confirm_secs: i64,
}

/// Ticks beside those of the confirmation: a state must be seen three times, the first tick may have begun before, and on a busy
/// machine ticks of services are left out where those of the host are not.
const FIRST_TICKS: i64 = 10;
/// A test waits so long for the next thing to happen.
const PATIENCE: Duration = Duration::from_secs(120);
/// … and for what takes minutes.
const PATIENCE_AT_NIGHT: Duration = Duration::from_secs(900);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Begun,
    Ended,
    Done,
}

/// A cause on its way.
struct Run {
    cause: Box<dyn Cause>,
    expected: Expected,
    /// The database's clock when it began.
    begun: String,
    phase: Phase,
}

fn boxed(cause: impl Cause + 'static) -> Box<dyn Cause> {
    Box::new(cause)
}

fn is_nightly() -> bool {
    common::times(0, 1, 1) > 0
}

#[tokio::test]
async fn each_cause_is_found_in_time_and_ends() {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let programs = Programs::new(home.dir.path());
    let peer = peer::Peer::start().await;
    let lines = lines::Lines::new(home.dir.path());
    let rest = peer.settings() + &lines.settings();
    home.configure(&target, &programs.settings(&rest));
    let space = files::FullFileSystem::new(home.dir.path());
    let mut causes: Vec<Box<dyn Cause>> = vec![
        Box::new(peer),
        Box::new(programs.zombie()),
        Box::new(programs.frozen()),
        Box::new(programs.missing()),
    ];
    causes.extend(resources::OutOfMemory::new().map(boxed));
    if is_nightly() {
        causes.push(Box::new(programs.greedy()));
        causes.push(Box::new(databases::IdleTransaction::new(&target).await));
        causes.push(Box::new(databases::BlockedSession::new(&target).await));
        causes.push(Box::new(lines.guesses()));
    }
    let mut agent = match &space {
        Some(space) => home.start_within(&space.command()),
        None => home.start(),
    };
    if let Some(space) = space {
        if is_nightly() {
            causes.push(Box::new(lines.upgrade(&agent)));
        }
        causes.push(Box::new(space.of(&agent)));
    }
    let session = connect(&target).await.unwrap();
    agent
        .until("what is watched was seen", async || {
            let seen = programs.seen();
            number(&target, &seen).await >= programs.number()
                && number(&target, peer::SEEN).await > 0
                && number(&target, lines::SEEN).await == 2
        })
        .await;

    let mut runs: Vec<Run> = Vec::new();
    for mut cause in causes {
        let begun = text(&target, "select clock_timestamp()").await;
        cause.begin();
        runs.push(Run {
            expected: cause.expected(),
            cause,
            begun,
            phase: Phase::Begun,
        });
    }
    let patience = if is_nightly() {
        PATIENCE_AT_NIGHT
    } else {
        PATIENCE
    };
    let (mut progressed, mut wrong) = (Instant::now(), Vec::new());
    while runs.iter().any(|run| run.phase != Phase::Done) {
        let found = finding::all(&session.client).await;
        for run in &mut runs {
            let before = run.phase;
            wrong.extend(advance(run, &found));
            if run.phase != before {
                progressed = Instant::now();
            }
        }
        assert!(
            progressed.elapsed() < patience,
            "waiting for {:?}\nof {found:#?}\n{}",
            waiting(&runs),
            agent.log()
        );
        assert!(agent.child.try_wait().unwrap().is_none(), "{}", agent.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for run in &runs {
        wrong.extend(in_time(&target, run).await);
    }
    let (status, _) = agent.terminate();
    assert!(status.success(), "{status}");
    for run in &runs {
        wrong.extend(has_one_history(&target, run).await);
        wrong.extend(has_marker(&target, run).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn waiting(runs: &[Run]) -> Vec<(&'static str, Phase)> {
    let runs = runs.iter().filter(|run| run.phase != Phase::Done);
    runs.map(|run| (run.expected.rule, run.phase)).collect()
}

/// Ends a cause that was found and notes what is wrong with its finding.
fn advance(run: &mut Run, found: &[Finding]) -> Vec<String> {
    let expected = &run.expected;
    let of = |one: &&Finding| one.rule == expected.rule && one.target == expected.target;
    let Some(one) = found.iter().rev().find(of) else {
        return Vec::new();
    };
    match run.phase {
        Phase::Begun if one.is_confirmed && !one.is_resolved => {
            run.cause.end();
            run.phase = if run.cause.has_end() {
                Phase::Ended
            } else {
                Phase::Done
            };
            one.differences(expected)
        }
        Phase::Ended if one.is_resolved => {
            run.phase = Phase::Done;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Counts the ticks until a finding was confirmed: one each second at most, however slow the machine is.
async fn in_time(target: &pg::Target, run: &Run) -> Option<String> {
    let Expected {
        rule,
        confirm_secs,
        target: of,
        ..
    } = &run.expected;
    let ticks = format!(
        "select count(*) from collector.system_metrics_raw s, collector.findings f \
         where f.rule = '{rule}' and f.target = '{of}' and s.ts > '{}' and s.ts <= f.confirmed_at",
        run.begun
    );
    let ticks = number(target, &ticks).await;
    (ticks > confirm_secs + FIRST_TICKS)
        .then(|| format!("{rule} {of}: confirmed after {ticks} ticks, of {confirm_secs} s"))
}

/// The history of a finding begins and ends once.
async fn has_one_history(target: &pg::Target, run: &Run) -> Option<String> {
    let Expected {
        rule, target: of, ..
    } = &run.expected;
    let history = format!(
        "select string_agg(transition, ' ' order by ts) from collector.finding_transitions_raw \
         where rule = '{rule}' and target = '{of}' and transition not in ('refreshed', 'worse', 'better')"
    );
    let history = text(target, &history).await;
    let end = if run.cause.has_end() { " resolved" } else { "" };
    let is_right = [format!("opened confirmed{end}"), format!("opened{end}")].contains(&history);
    (!is_right).then(|| format!("{rule} {of}: {history}"))
}

/// The change that was part of the cause is stored once.
async fn has_marker(target: &pg::Target, run: &Run) -> Option<String> {
    let expected = run.cause.marker()?;
    let stored = "select coalesce(string_agg(concat_ws(' ', kind, subject, action, before, after), ', '), '') \
                  from collector.change_markers where source = 'packages'";
    let stored = text(target, stored).await;
    (stored != expected).then(|| format!("changes are {stored:?}, not {expected:?}"))
}

/// The collector stands still, as when its host is suspended: afterwards that is a finding of the past, and nothing else
/// comes of it.
#[tokio::test]
async fn a_frozen_collector_is_a_finding_of_the_past() {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let mut agent = home.start();
    let samples = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples are stored", async || {
            number(&target, samples).await > 2
        })
        .await;
    agent.signal("STOP");
    // It is reported from more than 30 s on; what it sampled last may not be stored.
    agent
        .until("it has been silent for long enough", async || {
            let silent = "select extract(epoch from clock_timestamp() - max(ts))::int8 \
                          from collector.system_metrics_raw";
            number(&target, silent).await > 40
        })
        .await;
    agent.signal("CONT");
    let stalled = "select count(*) from collector.findings \
                   where rule = 'collector_stalled' and resolved_at is not null";
    agent
        .until("it is reported and has ended", async || {
            number(&target, stalled).await == 1
        })
        .await;
    let session = connect(&target).await.unwrap();
    let row = texts(
        &session.client,
        "select severity, command, extract(epoch from resolved_at - opened_at) between 31 and 120, message, \
                array_to_string(steps, ' ') \
         from collector.findings where rule = 'collector_stalled'",
    );
    let said = row.await.unwrap().remove(0);
    // From the tick before to the tick after.
    let begins = "warn journalctl --since -1h -p warning t The collector took no samples for ";
    assert!(said.starts_with(begins), "{said}");
    let step = "The host was suspended, the process was stopped or frozen, or the clock was set.";
    assert!(said.contains(step), "{said}");
    assert_eq!(alone(&target, &mut agent).await, "");
    agent.terminate();
}

/// Returns the other confirmed findings about the collector, once it has sampled for longer than the rules of its ticks wait.
async fn alone(target: &pg::Target, agent: &mut Agent) -> String {
    let since = text(target, "select clock_timestamp()").await;
    let ticks = format!("select count(*) from collector.system_metrics_raw where ts > '{since}'");
    agent
        .until("it has sampled for a while", async || {
            number(target, &ticks).await > 5
        })
        .await;
    text(
        target,
        "select coalesce(string_agg(rule, ' '), '') from collector.findings \
         where domain = 'collector' and confirmed_at is not null and rule <> 'collector_stalled'",
    )
    .await
}
