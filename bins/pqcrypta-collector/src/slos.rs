//! Judging of objectives: every minute, as the shortest window of a burn rate is five of them. Every five minutes it also
//! stores health scores, as objectives are a part of these.
//!
//! It shares the session of the judge of logs, so that it costs no other one.

use crate::analysis::Analysis;
use crate::findings::intervals;
use crate::group_append::GroupAppend;
use crate::schedule::{Job, Needs, Plan, Turn};
use config::Config;
use insight::slos::{SloJudge, Tracking};
use schema::Timestamp;
use std::time::Duration;

/// Time between two runs.
const EVERY: Duration = Duration::from_secs(60);

/// Judges objectives.
#[derive(Debug)]
pub(crate) struct SloJob {
    analysis: Analysis,
    /// Takes the transitions of findings and the rows of `slo_tracking`.
    group: GroupAppend,
    judge: SloJudge,
    tracking: Tracking,
    clock: fn() -> Timestamp,
}

impl SloJob {
    /// Begins with the time of grace after a start.
    pub(crate) fn new(
        analysis: Analysis,
        group: GroupAppend,
        clock: fn() -> Timestamp,
        config: &Config,
    ) -> Self {
        Self {
            analysis,
            group,
            judge: SloJudge::new(intervals(config), clock()),
            tracking: Tracking::default(),
            clock,
        }
    }
}

impl Job for SloJob {
    const PLAN: Plan = Plan {
        name: "slos",
        needs: Needs::Link,
        is_recorded: true,
    };

    fn interval(&self, _: &Config) -> Duration {
        EVERY
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.analysis.deadline())
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        let now = (self.clock)();
        let findings = self.group.findings();
        // What the database has open is continued first, so that none is opened twice.
        if !self.judge.is_settled(now) || !findings.is_restored() {
            return Ok(0);
        }
        let host = self.analysis.take().await?;
        let facts = self
            .judge
            .fetch(&host.session.client, host.host_id, now)
            .await;
        let facts = facts.map_err(|error| anyhow::anyhow!("{}: {}", error.what, error.source))?;
        self.analysis.keep(host);
        let evaluation = findings.evaluate(&mut self.judge, &facts, now);
        let mut rows = findings.settle(evaluation, now);
        if self.tracking.is_due(now) {
            rows.extend(findings.health(&facts, now));
        }
        rows.extend(self.tracking.rows(&facts, now));
        if !rows.is_empty() {
            self.group.queue().append(now, rows).await?;
        }
        Ok(facts.standings.len())
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.judge.reconfigure(intervals(config));
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}
