//! Baselines as a job of the schedule: once an hour, what is usual for each scored metric and key of this host, and where it leads.
//!
//! It reads the hours that are rolled up, computes away from the thread that samples, and stores the rows in the same
//! session, which is open only while it runs. After a start without what an earlier run learned, the detectors are warmed from
//! stored samples first. A run that fails has stored what it computed before, and the next one
//! computes all of it.

use crate::analysis::{Analysis, HostSession};
use crate::findings::Findings;
use crate::schedule::{Job, Needs, Plan, Turn};
use anyhow::{Context, bail};
use config::Config;
use insight::baselines::{self, Calendar, Disturbed, Hours};
use insight::normal::past;
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

/// End of the last hour of the stored rows, by domain, metric and key.
type Known = HashMap<(String, String, String), Timestamp>;

/// Computes and stores baselines.
#[derive(Debug)]
pub(crate) struct BaselinesJob {
    analysis: Analysis,
    findings: Findings,
    clock: fn() -> Timestamp,
    /// Sampling intervals of the host and of services, microseconds.
    intervals: [i64; 2],
}

impl BaselinesJob {
    /// Begins without a session.
    pub(crate) fn new(
        analysis: Analysis,
        findings: Findings,
        clock: fn() -> Timestamp,
        config: &Config,
    ) -> Self {
        Self {
            analysis,
            findings,
            clock,
            intervals: intervals(config),
        }
    }

    /// Teaches the detectors the last week, unless they know more.
    async fn warm(&self, host: &HostSession) -> anyhow::Result<()> {
        if self.findings.knows_normal() {
            return Ok(());
        }
        let (client, at) = (&host.session.client, (self.clock)());
        for group in baselines::groups() {
            if past::is_read(&group) {
                let interval = self.interval(&group);
                let past = past::read(client, host.host_id, &group, at, interval).await;
                let findings = self.findings.clone();
                tokio::task::spawn_blocking(move || findings.warm(past)).await?;
            }
        }
        Ok(())
    }

    /// Returns the sampling interval of metrics of one domain.
    fn interval(&self, group: &[&'static Metric]) -> i64 {
        let is_of_service = group.iter().any(|metric| metric.domain.is_of_service());
        self.intervals[usize::from(is_of_service)]
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

fn intervals(config: &Config) -> [i64; 2] {
    [config.intervals.system_secs, config.intervals.app_secs]
        .map(|secs| i64::from(secs) * 1_000_000)
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
        let host = self.analysis.take().await?;
        self.warm(&host).await?;
        let rows = self.refresh(&host).await.context("computing baselines")?;
        host.close().await;
        Ok(rows)
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.intervals = intervals(config);
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}
