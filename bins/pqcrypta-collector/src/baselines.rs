//! Baselines as a job of the schedule: once an hour, what is usual for each scored metric and key of this host, and where it leads.
//!
//! It reads the hours that are rolled up, computes away from the thread that samples, and stores the rows in the same
//! session, that of the jobs. After a start without what an earlier run learned, the detectors are warmed from
//! stored samples first. A run that fails has stored what it computed before, and the next one
//! computes all of it.
//!
//! What will be full is judged with the same hours: as they come once an hour, nothing changes in between. So is what became of
//! findings that ended a day ago.

use crate::analysis::{Analysis, HostSession};
use crate::findings::intervals;
use crate::group_append::GroupAppend;
use crate::schedule::{Job, Needs, Plan, Postponed, Turn};
use anyhow::{Context, bail};
use config::Config;
use insight::baselines::{self, Calendar, Disturbed, Hours};
use insight::capacity::{CapacityFacts, CapacityJudge, Outlook, own_store};
use insight::live::Intervals;
use insight::normal::past;
use insight::recommendations::verification;
use jiff::tz::TimeZone;
use schema::{Metric, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::baselines::Computed;

/// Time between two runs: an hour is the step of what is computed.
const EVERY: Duration = Duration::from_secs(3600);
/// How long a run may take: of a host with 1,000 series a few seconds.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long it waits for the open findings of the database, and how often it looks.
const RESTORED_WITHIN: Duration = Duration::from_secs(60);
const RESTORED_EVERY: Duration = Duration::from_millis(250);

/// End of the last hour of the stored rows, by domain, metric and key.
type Known = HashMap<(String, String, String), Timestamp>;

/// Computes and stores baselines.
#[derive(Debug)]
pub(crate) struct BaselinesJob {
    analysis: Analysis,
    /// Takes the transitions of findings.
    group: GroupAppend,
    clock: fn() -> Timestamp,
    intervals: Intervals,
}

impl BaselinesJob {
    /// Begins without a session.
    pub(crate) fn new(
        analysis: Analysis,
        group: GroupAppend,
        clock: fn() -> Timestamp,
        config: &Config,
    ) -> Self {
        Self {
            analysis,
            group,
            clock,
            intervals: intervals(config),
        }
    }

    /// Teaches the detectors what was sampled lately, unless they know more.
    async fn warm(&self, host: &HostSession) -> anyhow::Result<()> {
        let findings = self.group.findings();
        if findings.knows_normal() {
            return Ok(());
        }
        let (client, at) = (&host.session.client, (self.clock)());
        for group in baselines::groups() {
            let interval = self.interval(&group);
            let past = past::read(client, host.host_id, &group, at, interval).await;
            let findings = findings.clone();
            tokio::task::spawn_blocking(move || findings.warm(past)).await?;
        }
        Ok(())
    }

    /// Returns the sampling interval of metrics of one domain.
    fn interval(&self, group: &[&'static Metric]) -> i64 {
        match group.iter().any(|metric| metric.domain.is_of_service()) {
            true => self.intervals.services,
            false => self.intervals.host,
        }
    }

    async fn refresh(&self, host: &HostSession) -> anyhow::Result<usize> {
        let client = &host.session.client;
        let calendar = Arc::new(Calendar::before((self.clock)(), &TimeZone::system()));
        let known = Arc::new(store::baselines::known(client, host.host_id).await?);
        let disturbances =
            store::findings::disturbances(client, host.host_id, calendar.from()).await?;
        let disturbed = Arc::new(Disturbed::new(disturbances, calendar.until));
        let (mut rows, mut refused) = (0, None);
        for group in baselines::groups() {
            let interval = self.interval(&group);
            let (hours, faults) =
                baselines::read(client, host.host_id, &group, &calendar, interval).await;
            refused = refused.or(faults.into_iter().next());
            let (of, since) = (Arc::clone(&calendar), Arc::clone(&known));
            let without = Arc::clone(&disturbed);
            let computed =
                tokio::task::spawn_blocking(move || compute(&hours, &of, &without, &since));
            let computed = computed.await?;
            rows += computed.len();
            store::baselines::replace(client, host.host_id, &computed, calendar.until).await?;
        }
        store::baselines::prune(client, host.host_id, calendar.until).await?;
        if let Some(fault) = refused {
            bail!("{}: {}", fault.error.what, fault.error.source);
        }
        Ok(rows)
    }

    /// Waits until the findings that the database has open are continued: after a start that takes a moment, and the session of
    /// the jobs.
    async fn wait_for_findings(&self) -> Result<(), Postponed> {
        let findings = self.group.findings();
        let begun = tokio::time::Instant::now();
        while !findings.is_restored() && begun.elapsed() < RESTORED_WITHIN {
            tokio::time::sleep(RESTORED_EVERY).await;
        }
        match findings.is_restored() {
            true => Ok(()),
            false => Err(Postponed("the open findings are read")),
        }
    }

    /// Judges what will reach its limit.
    async fn foresee(&self, host: &HostSession) -> anyhow::Result<usize> {
        let findings = self.group.findings();
        let (client, at) = (&host.session.client, (self.clock)());
        let facts = CapacityFacts::read(client, host.host_id, at, self.intervals).await;
        let mut rows: Vec<_> = facts.outlooks.iter().map(Outlook::row).collect();
        let store = store::sizes::read(client).await?;
        if store.keeper == Some(host.host_id) {
            rows.extend(own_store::row(&store));
        }
        store::capacity::replace(client, host.host_id, &rows, facts.until).await?;
        let evaluation = findings.evaluate(&mut CapacityJudge, &facts, at);
        let transitions = findings.settle(evaluation, at);
        if !transitions.is_empty() {
            self.group.queue().append(at, transitions).await?;
        }
        if let Some(fault) = facts.faults.into_iter().next() {
            bail!("{}: {}", fault.error.what, fault.error.source);
        }
        Ok(rows.len())
    }
}

fn compute(hours: &[Hours], calendar: &Calendar, disturbed: &Disturbed, known: &Known) -> Computed {
    let mut computed = Computed::default();
    for one in hours {
        let domain = one.metric.domain.as_str().to_owned();
        let key = one.key.clone().unwrap_or_default();
        let known = known.get(&(domain, one.metric.name.to_owned(), key));
        baselines::compute(one, calendar, disturbed, known.copied(), &mut computed);
    }
    computed
}

impl Job for BaselinesJob {
    const PLAN: Plan = Plan {
        name: "baselines",
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
        self.wait_for_findings().await?;
        let host = self.analysis.take().await?;
        self.warm(&host).await?;
        let rows = self.refresh(&host).await.context("computing baselines")?;
        let outlooks = self.foresee(&host).await;
        let outlooks = outlooks.context("computing when resources will be full")?;
        let services = self.intervals.services;
        let verified =
            verification::run(&host.session.client, host.host_id, (self.clock)(), services).await;
        let verified = verified.context("verifying what was recommended")?;
        host.close().await;
        Ok(rows + outlooks + verified)
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.intervals = intervals(config);
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}
