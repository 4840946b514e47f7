//! What was acknowledged is stored, once, however the program and the server end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Home, SITE, view};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{Dice, Server, Stop};

/// Rounds of kill -9; `FAULTS=nightly` as many as the promise names.
#[expect(
    clippy::disallowed_methods,
    reason = "how long tests take is not a setting of the program"
)]
fn rounds() -> usize {
    match std::env::var("FAULTS").as_deref() {
        Ok("nightly") => 20,
        Ok("few") => 2,
        _ => 6,
    }
}

/// Sends views from many addresses until told otherwise; notes those that were acknowledged.
#[derive(Clone, Debug, Default)]
struct Readers {
    next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
}

impl Readers {
    fn read(&self, program: &common::Program, until: usize) {
        self.stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !self.stop.load(Ordering::Relaxed) {
                        let number = self.next.fetch_add(1, Ordering::Relaxed);
                        let from = format!("10.{}.{}.1", number % 97, number / 7 % 256);
                        if program.post(&from, &view(number, &format!("/{}", number % 50)))
                            == Some(202)
                        {
                            self.acknowledged.lock().unwrap().insert(number);
                        }
                    }
                });
            }
            let begun = Instant::now();
            while self.acknowledged.lock().unwrap().len() < until {
                assert!(
                    begun.elapsed() < Duration::from_secs(60),
                    "nothing is acknowledged"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            self.stop.store(true, Ordering::Relaxed);
        });
    }
}

#[tokio::test]
async fn acknowledged_is_stored() {
    let server = Server::new().unwrap();
    server.sql("CREATE DATABASE stats").await.unwrap();
    let target = server.target().with_database("stats");
    testkit::migrate(&target).await.unwrap();
    let home = Home::new(&target, SITE);
    let readers = Readers::default();
    let mut dice = Dice::new(13);
    let mut until = 0;
    for round in 0..rounds() {
        let program = home.start();
        until += 40 + dice.index(200);
        if round % 3 == 1 {
            server.stop(Stop::Immediate).unwrap();
            readers.read(&program, until);
            server.start().unwrap();
            until += 40;
        }
        readers.read(&program, until);
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
            begun.elapsed() < Duration::from_secs(60),
            "{missing} of {} are missing",
            acknowledged.len()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(program.stop(), Some(0));
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
}
