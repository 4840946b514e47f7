//! Results in the database.
//!
//! They are in the waiting file first, then in one statement, then the file is removed. If the outcome of that statement is
//! never learnt, the next run sends the same results, and the statement leaves out those that are there: a result is stored exactly
//! once. What the database does not take (it is away, the host is not registered yet, the day has no partition) waits.

use crate::waiting::Waiting;
use anyhow::Context as _;
use collect::{IdentityFiles, Roots, host_identity};
use config::Config;
use health::Outcome;
use pg::{SessionOptions, Target};
use std::time::Duration;

/// Time for all of it: the unit that starts this has 120 s.
const DEADLINE: Duration = Duration::from_secs(20);
const CLOSE: Duration = Duration::from_secs(1);
const INSERT: &str = include_str!("store.sql");

/// Keeps results, in the database or else in the file; returns whether they are in one of them.
pub(crate) async fn keep(config: &Config, outcomes: &[Outcome]) -> bool {
    let waiting = Waiting::of(&config.health.state_dir);
    match waiting.add(outcomes) {
        Ok(0) => {}
        Ok(dropped) => tracing::warn!(
            dropped,
            "the oldest results that waited for the database are lost"
        ),
        Err(error) => {
            tracing::error!("{error:#}");
            return false;
        }
    }
    let delivered = tokio::time::timeout(DEADLINE, deliver(config, &waiting)).await;
    match delivered {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("the results wait for the database: {error:#}"),
        Err(_elapsed) => tracing::warn!("the results wait: the database gave no answer"),
    }
    true
}

async fn deliver(config: &Config, waiting: &Waiting) -> anyhow::Result<()> {
    let identity = host_identity(&Roots::default(), &IdentityFiles::default());
    let machine_id = identity.in_store(&config.host)?;
    let target = Target::from(&config.database);
    let options = SessionOptions::for_deadline(DEADLINE);
    let opened = store::host::open(&target, &options, "pqcrypta-health-check", &machine_id);
    let (session, host_id) = opened.await?;
    let results = waiting.array()?;
    let inserted = session.client.execute(INSERT, &[&host_id, &results]).await;
    let inserted = inserted.map_err(|error| anyhow::anyhow!(pg::causes(&error)));
    session.close(CLOSE).await;
    inserted.context("storing failed")?;
    waiting.clear()
}
