//! How long after its sample a transition is in the database, at the default interval. It prints and asserts nothing:
//!
//! ```sh
//! cargo nextest run -p pqcrypta-collector --test visible --run-ignored only --no-capture
//! ```

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number};
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::{connect, texts};
use tokio_postgres::Client;

/// Causes, which begin and end at any instant between two ticks.
const CAUSES: usize = 8;

/// Milliseconds from a transition's sample until it was seen, by transition.
type Delays = BTreeMap<String, Vec<u64>>;

#[tokio::test]
#[ignore = "prints how long it takes"]
async fn a_transition_is_visible_soon_after_its_sample() {
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target)
        .with("SYSTEM_INTERVAL_SECS", "10")
        .with("APP_INTERVAL_SECS", "10");
    let mut agent = home.start();
    let samples = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples are stored", async || {
            number(&target, samples).await > 1
        })
        .await;
    let session = connect(&target).await.unwrap();
    let seen = "create temp table seen (rule text, target text, ts timestamptz, primary key (rule, target, ts))";
    session.client.batch_execute(seen).await.unwrap();
    let mut delays = Delays::new();
    let mut zombies: Vec<Child> = Vec::new();
    for _ in 0..CAUSES {
        let zombie = Command::new("true").stdin(Stdio::null()).spawn();
        zombies.push(zombie.unwrap());
        watch(&session.client, 3, &mut delays).await;
    }
    watch(&session.client, 30, &mut delays).await;
    for mut zombie in zombies {
        zombie.wait().unwrap();
        watch(&session.client, 3, &mut delays).await;
    }
    watch(&session.client, 25, &mut delays).await;
    for (transition, mut all) in delays {
        all.sort_unstable();
        println!(
            "{transition}: {} times, {} ms (median), {} ms (most)",
            all.len(),
            all[all.len() / 2],
            all[all.len() - 1]
        );
    }
}

/// Returns what this session has not seen yet: the transition, and how old its sample is in milliseconds.
const NEW: &str = "with new as ( \
       insert into seen select rule, target, ts from collector.finding_transitions_raw \
       where rule = 'process_state' on conflict do nothing returning rule, target, ts) \
     select transition, (extract(epoch from clock_timestamp() - ts) * 1000)::int8 \
     from new join collector.finding_transitions_raw using (rule, target, ts)";

/// Notes for some seconds what becomes visible.
async fn watch(client: &Client, secs: u64, delays: &mut Delays) {
    let until = tokio::time::Instant::now() + Duration::from_secs(secs);
    while tokio::time::Instant::now() < until {
        for row in texts(client, NEW).await.unwrap() {
            let (transition, millis) = row.split_once(' ').unwrap();
            let of = delays.entry(transition.to_owned()).or_default();
            of.push(millis.parse().unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
