//! What was acknowledged is stored, once, however the program and the server end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Home, SITE};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{Dice, Server, Stop};

/// How much is sent and how often it is interrupted.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Rounds, each of which ends with kill -9 of the program.
    kills: usize,
    /// In one of so many rounds the server is stopped.
    stop_every: usize,
    /// Reports that are acknowledged in a round, at least.
    reports: usize,
    /// Events of a report; the first is a view.
    events: usize,
    /// How long what was acknowledged may take to be stored.
    patience: Duration,
}

/// `FAULTS=nightly`: a million events, twenty times kill -9, five stops of the server.
#[expect(
    clippy::disallowed_methods,
    reason = "how long tests take is not a setting of the program"
)]
fn plan() -> Plan {
    let usual = Plan {
        kills: 6,
        stop_every: 3,
        reports: 140,
        events: 3,
        patience: Duration::from_secs(60),
    };
    match std::env::var("FAULTS").as_deref() {
        Ok("nightly") => Plan {
            kills: 20,
            stop_every: 4,
            reports: 5_000,
            events: 10,
            patience: Duration::from_secs(300),
        },
        Ok("few") => Plan { kills: 2, ..usual },
        _ => usual,
    }
}

/// Returns a report of a view, with further events.
fn report(number: u64, events: usize) -> Value {
    let mut report = common::view(number, &format!("/{}", number % 50));
    let further = (1..events).map(
        |at| json!({"type": "event", "name": format!("event-{at}"), "props": {"number": number}}),
    );
    report["events"].as_array_mut().unwrap().extend(further);
    report
}

/// Sends reports from many addresses until told otherwise; notes those that were acknowledged.
#[derive(Clone, Debug, Default)]
struct Readers {
    next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
}

impl Readers {
    /// Reads until so many more reports are acknowledged.
    fn read(&self, program: &common::Program, plan: Plan, more: usize) {
        self.stop.store(false, Ordering::Relaxed);
        let until = self.acknowledged.lock().unwrap().len() + more;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !self.stop.load(Ordering::Relaxed) {
                        let number = self.next.fetch_add(1, Ordering::Relaxed);
                        let from = format!("10.{}.{}.1", number % 97, number / 7 % 256);
                        if program.post(&from, &report(number, plan.events)) == Some(202) {
                            self.acknowledged.lock().unwrap().insert(number);
                        }
                    }
                });
            }
            let begun = Instant::now();
            while self.acknowledged.lock().unwrap().len() < until {
                assert!(begun.elapsed() < plan.patience, "nothing is acknowledged");
                std::thread::sleep(Duration::from_millis(5));
            }
            self.stop.store(true, Ordering::Relaxed);
        });
    }
}

#[tokio::test]
async fn acknowledged_is_stored() {
    let plan = plan();
    let server = Server::new().unwrap();
    server.sql("CREATE DATABASE stats").await.unwrap();
    let target = server.target().with_database("stats");
    testkit::migrate(&target).await.unwrap();
    let home = Home::new(&target, SITE);
    let readers = Readers::default();
    let mut dice = Dice::new(13);
    let mut stops = 0;
    for round in 0..plan.kills {
        let program = home.start();
        let before = plan.reports / 2 + dice.index(plan.reports / 2);
        if round % plan.stop_every == 1 {
            server.stop(Stop::Immediate).unwrap();
            readers.read(&program, plan, before);
            server.start().unwrap();
            stops += 1;
        } else {
            readers.read(&program, plan, before);
        }
        readers.read(&program, plan, plan.reports - before);
        // At an instant that has nothing to do with the seconds of delivery.
        tokio::time::sleep(Duration::from_millis(dice.below(1500))).await;
        program.kill();
    }
    let program = home.start();
    let acknowledged = readers.acknowledged.lock().unwrap().clone();
    let session = testkit::connect(&target).await.unwrap();
    let begun = Instant::now();
    let stored = loop {
        let ids = testkit::texts(
            &session.client,
            "SELECT view_id FROM collector.web_analytics_page_views_raw",
        )
        .await
        .unwrap();
        let all: BTreeSet<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
        assert_eq!(all.len(), ids.len(), "a view is there twice");
        if acknowledged.is_subset(&all) {
            break all;
        }
        let missing = acknowledged.difference(&all).count();
        assert!(
            begun.elapsed() < plan.patience,
            "{missing} of {} are missing",
            acknowledged.len()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(program.stop(), Some(0));
    // A report is stored whole or not at all: each view has its events, once.
    let counts = "SELECT view_id || ' ' || count(*) FROM collector.web_analytics_events_raw GROUP BY view_id";
    let counts = testkit::texts(&session.client, counts).await.unwrap();
    let counts: BTreeMap<u64, usize> = counts
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(view, count)| (view.parse().unwrap(), count.parse().unwrap()))
        .collect();
    assert!(counts.keys().eq(stored.iter()), "events without their view");
    assert!(counts.values().all(|count| *count == plan.events - 1));
    // Visits agree with their views, of which some were stored without being acknowledged.
    let number = async |query: &str| {
        let text = testkit::texts(&session.client, query).await.unwrap();
        text[0].parse::<usize>().unwrap_or(0)
    };
    let views = number("SELECT sum(views) FROM collector.web_analytics_sessions_raw").await;
    let rows = number("SELECT count(*) FROM collector.web_analytics_page_views_raw").await;
    assert_eq!(views, rows);
    let broken = "SELECT count(*) FROM (SELECT session_id, session_ts, count(*) n, max(nth) last \
                  FROM collector.web_analytics_page_views_raw GROUP BY 1, 2) v WHERE n <> last";
    assert_eq!(number(broken).await, 0);
    assert!(stored.len() >= acknowledged.len());
    eprintln!(
        "{} events acknowledged, {} stored, over {} kills and {stops} stops",
        acknowledged.len() * plan.events,
        stored.len() * plan.events,
        plan.kills,
    );
}
