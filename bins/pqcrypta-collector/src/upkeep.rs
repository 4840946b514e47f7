//! Upkeep of the store: its size, its budget, and what is expired.
//!
//! Once an hour, and at the start: measure, let days go where there is a budget that is exceeded, remove what is expired,
//! and judge. One host has the turn (`store::turn`) and does this for all, so that it is done once, and a finding about what all share is
//! reported once; the others learn that from their heartbeats and open no session. When it dies, another one goes on
//! within [`TURN`] and an hour. A host whose clock is wrong does not take the turn, and expires nothing.
//!
//! It has the session of the jobs, only while it runs, so that neither samples nor lines wait for it. Expiry begins
//! once the database has this host's retention: until then it would follow from what other hosts ask for.

use crate::analysis::{Analysis, HostSession};
use crate::group_append::GroupAppend;
use crate::schedule::{Job, Needs, Plan, Turn};
use crate::settings;
use anyhow::{Context, bail};
use config::Config;
use insight::store_size::StoreSizeJudge;
use schema::Timestamp;
use std::time::Duration;
use store::expiry::{self, Retention};
use store::sizes::{self, Store};
use store::status::{Keeper, SharedStatus};
use store::turn;

/// Days expire at midnight, and a size of some hours ago is as good.
const EVERY: Duration = Duration::from_secs(3600);
/// How long the turn lasts: a run may be missed, and as long as one may take.
const TURN: Duration = Duration::from_secs(2 * 3600 + 600);
/// How long a run may take. After an outage of weeks there are a thousand partitions to drop, 20 to 200 ms each; the next
/// run continues where this one ended.
const DEADLINE: Duration = Duration::from_secs(600);
/// How often the writer is asked whether it has stored this host's retention.
const REPORTED_EVERY: Duration = Duration::from_millis(250);

/// Keeps the store in order.
#[derive(Debug)]
pub(crate) struct Upkeep {
    analysis: Analysis,
    /// Takes the transitions of findings.
    group: GroupAppend,
    judge: StoreSizeJudge,
    /// State of the database as the writer of samples sees it.
    status: SharedStatus,
    clock: fn() -> Timestamp,
    retention: Retention,
}

impl Upkeep {
    /// Begins without a session.
    pub(crate) fn new(
        analysis: Analysis,
        group: GroupAppend,
        status: SharedStatus,
        clock: fn() -> Timestamp,
        config: &Config,
    ) -> Self {
        Self {
            analysis,
            group,
            judge: StoreSizeJudge,
            status,
            clock,
            retention: settings::retention(config),
        }
    }

    /// Removes what is expired. Returns the number of partitions and rows.
    async fn expire(&self, host: &HostSession) -> anyhow::Result<usize> {
        let client = &host.session.client;
        expiry::cut_to_budget(client, self.clock)
            .await
            .context("applying the size budget")?;
        let expired = expiry::run(client, self.clock)
            .await
            .context("removing what is expired")?;
        if let Some((table, error)) = expired.refused.first() {
            bail!(
                "cannot remove expired rows of {table} and {} other tables: {error}",
                expired.refused.len() - 1
            );
        }
        let rows = usize::try_from(expired.rows).unwrap_or(usize::MAX);
        Ok(expired.partitions.saturating_add(rows))
    }

    /// Judges the store, or, where that is another host's task, nothing.
    async fn judge(&mut self, mine: Option<&Store>) -> anyhow::Result<()> {
        let now = (self.clock)();
        let findings = self.group.findings();
        let evaluation = findings.evaluate(&mut self.judge, mine, now);
        let transitions = findings.settle(evaluation, now);
        if !transitions.is_empty() {
            self.group.queue().append(now, transitions).await?;
        }
        Ok(())
    }
}

impl Job for Upkeep {
    const PLAN: Plan = Plan {
        name: "upkeep",
        needs: Needs::Link,
        is_recorded: true,
    };

    fn interval(&self, _: &Config) -> Duration {
        EVERY
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        while self.status.get().retention != Some(self.retention) {
            tokio::time::sleep(REPORTED_EVERY).await;
        }
        let status = self.status.get();
        if status.upkeep == Keeper::Other {
            self.judge(None).await?;
            return Ok(0);
        }
        let host = self.analysis.take().await?;
        let (client, host_id) = (&host.session.client, host.host_id);
        let is_mine = expiry::clocks_agree(status.clock_ahead_micros)
            && turn::take(client, turn::UPKEEP, host.host_id, TURN).await?;
        let expired = match is_mine {
            true => {
                sizes::measure(client)
                    .await
                    .context("measuring the store")?;
                self.expire(&host).await
            }
            false => Ok(0),
        };
        let store = sizes::read(client).await?;
        host.close().await;
        if let Some(keeper) = store.keeper {
            let mine = (keeper == host_id).then_some(&store);
            self.judge(mine).await?;
        }
        expired
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.retention = settings::retention(config);
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}
