//! Upkeep of the store: its size, its budget, and what is expired.
//!
//! Once an hour, and at the start: measure, let days go where there is a budget that is exceeded, remove what is expired,
//! and judge. Any host does the first three for all; the host that judges is agreed on in the database
//! (`store::sizes::Store::keeper`), so that a finding about what all share is reported once.
//!
//! It has a session of its own, only while it runs, so that neither samples nor lines wait for it. Expiry begins
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
use store::sizes;
use store::status::SharedStatus;

/// Days expire at midnight, and a size of some hours ago is as good.
const EVERY: Duration = Duration::from_secs(3600);
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
        if !expiry::clocks_agree(self.status.get().clock_ahead_micros) {
            return Ok(0);
        }
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

    async fn judge(&mut self, host: &HostSession) -> anyhow::Result<()> {
        let store = sizes::read(&host.session.client).await?;
        let Some(keeper) = store.keeper else {
            return Ok(());
        };
        let mine = (keeper == host.host_id).then_some(&store);
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
        let host = self.analysis.take().await?;
        sizes::measure(&host.session.client)
            .await
            .context("measuring the store")?;
        let expired = self.expire(&host).await;
        self.judge(&host).await?;
        host.close().await;
        expired
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.retention = settings::retention(config);
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}
