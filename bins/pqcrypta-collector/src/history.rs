//! Roll-ups and sealing as a job of the schedule: hours and days of what is stored, and closed days as arrays, for every host of
//! the store.
//!
//! Each run has the session of the jobs, so that no sample waits for it. One collector has the turn (`store::turn`) and prolongs it with each run; the others learn that from
//! their heartbeats, and open no session. When it dies, another one goes on within a quarter of an hour. A run that is dropped or fails takes nothing back but the hour it was at.

use crate::analysis::Analysis;
use crate::schedule::{Job, Needs, Plan, Turn};
use config::Config;
use std::time::Duration;
use store::status::{Keeper, SharedStatus};
use store::{rollup, seal, turn};

/// How long a run takes new hours: a thirtieth of the time, so that a backlog of two weeks is gone within two hours and
/// the server has time for others.
const BUDGET: Duration = Duration::from_secs(10);
/// How long a run seals after that. An hour of a host takes 0.2 s, so that a backlog of two weeks is gone within an hour.
const SEAL_BUDGET: Duration = Duration::from_secs(10);
/// How long a run may take: the last hour of it has limits of its own at the server.
const DEADLINE: Duration = Duration::from_secs(60);
/// More hours than this are a backlog that is reported: what two runs leave is not the last hour alone.
const BEHIND: usize = 24;
/// How long the turn lasts: two runs may be missed, and as long as one may take.
const TURN_SECS: u32 = 2 * rollup::EVERY_SECS + 60;

/// Rolls up.
#[derive(Debug)]
pub(crate) struct HistoryJob {
    pub(crate) analysis: Analysis,
    /// What the writer knows of the store.
    pub(crate) status: SharedStatus,
}

impl Job for HistoryJob {
    const PLAN: Plan = Plan {
        name: "history",
        needs: Needs::Link,
        is_recorded: true,
    };

    fn interval(&self, _: &Config) -> Duration {
        Duration::from_secs(u64::from(rollup::EVERY_SECS))
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        if self.status.get().keeper == Keeper::Other {
            return Ok(0);
        }
        let host = self.analysis.take().await?;
        let client = &host.session.client;
        let lasts = Duration::from_secs(u64::from(TURN_SECS));
        if !turn::take(client, turn::HISTORY, host.host_id, lasts).await? {
            host.close().await;
            return Ok(0);
        }
        let Some(outcome) = rollup::run(client, BUDGET).await? else {
            host.close().await;
            tracing::debug!("another collector rolls up");
            return Ok(0);
        };
        let sealed = seal::run(client, SEAL_BUDGET).await?;
        host.close().await;
        if sealed.days > 0 {
            tracing::info!(
                days = sealed.days,
                left = sealed.left,
                "sealed days of tables"
            );
        }
        if outcome.left > BEHIND {
            tracing::info!(
                hours = outcome.left,
                rolled_up = outcome.hours,
                "the roll-up of stored samples is behind; the rest follows"
            );
        }
        Ok(outcome.hours + outcome.days + sealed.hours + sealed.days)
    }
}
