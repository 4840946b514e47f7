//! Roll-ups and sealing as a job of the schedule: hours and days of what is stored, and closed days as arrays, for every host of
//! the store.
//!
//! Each run has the session of the jobs, so that no sample waits for it, and gives it back after each slice of its time, so that no
//! other job waits for a backlog. One collector has the turn (`store::turn`) and prolongs it with each run; the others learn that from
//! their heartbeats, and open no session. When it dies, another one goes on within a quarter of an hour. A run that is dropped or fails takes nothing back but the hour it was at.

use crate::analysis::{Analysis, HostSession};
use crate::schedule::{Job, Needs, Plan, Turn};
use config::Config;
use std::time::Duration;
use store::status::{Keeper, SharedStatus};
use store::{rollup, seal, turn};
use tokio::time::Instant;

/// How long a run takes new hours: a thirtieth of the time, so that a backlog of two weeks is gone within two hours and
/// the server has time for others.
const BUDGET: Duration = Duration::from_secs(10);
/// How long a run seals after that. An hour of a host takes 0.2 s, so that a backlog of two weeks is gone within an hour.
const SEAL_BUDGET: Duration = Duration::from_secs(10);
/// How long it works until another job may have the session: logs and what changed are judged within seconds of it.
pub(crate) const SLICE: Duration = Duration::from_secs(2);
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
    /// [`SLICE`].
    pub(crate) slice: Duration,
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
        let mut done = Done::default();
        for (step, budget) in [(Step::RollUp, BUDGET), (Step::Seal, SEAL_BUDGET)] {
            let mut left = budget;
            while !left.is_zero() {
                let host = self.analysis.take().await?;
                let begun = Instant::now();
                let progress = step.take(&host, self.slice.min(left), &mut done).await?;
                if progress == Progress::AnothersTurn {
                    host.close().await;
                    return Ok(done.units);
                }
                self.analysis.keep(host);
                if progress == Progress::Complete {
                    break;
                }
                left = left.saturating_sub(begun.elapsed());
            }
        }
        done.report();
        Ok(done.units)
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}

/// What a run does, one after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    RollUp,
    Seal,
}

/// What a slice left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing that can be done now.
    Complete,
    /// Maybe something; its time was over.
    More,
    /// Another collector works for this store.
    AnothersTurn,
}

/// What a run did.
#[derive(Debug, Default)]
struct Done {
    /// Hours and days, rolled up or sealed.
    units: usize,
    sealed_days: usize,
    rolled_up: usize,
    /// Hours and days of tables that are left.
    hours_left: usize,
    days_left: usize,
}

impl Step {
    /// Works for at most `budget`.
    async fn take(
        self,
        host: &HostSession,
        budget: Duration,
        done: &mut Done,
    ) -> anyhow::Result<Progress> {
        let client = &host.session.client;
        let lasts = Duration::from_secs(u64::from(TURN_SECS));
        if !turn::take(client, turn::HISTORY, host.host_id, lasts).await? {
            return Ok(Progress::AnothersTurn);
        }
        let begun = Instant::now();
        let did = match self {
            Self::RollUp => {
                let Some(outcome) = rollup::run(client, budget).await? else {
                    tracing::debug!("another collector rolls up");
                    return Ok(Progress::AnothersTurn);
                };
                done.units += outcome.hours + outcome.days;
                done.rolled_up += outcome.hours;
                done.hours_left = outcome.left;
                outcome.hours + outcome.days + outcome.sums + outcome.ordered
            }
            Self::Seal => {
                let outcome = seal::run(client, budget).await?;
                done.units += outcome.hours + outcome.days;
                done.sealed_days += outcome.days;
                done.days_left = outcome.left;
                outcome.hours + outcome.days
            }
        };
        Ok(match did > 0 && begun.elapsed() >= budget {
            true => Progress::More,
            false => Progress::Complete,
        })
    }
}

impl Done {
    /// Logs a backlog, and days that were sealed.
    fn report(&self) {
        if self.sealed_days > 0 {
            tracing::info!(
                days = self.sealed_days,
                left = self.days_left,
                "sealed days of tables"
            );
        }
        if self.hours_left > BEHIND {
            tracing::info!(
                hours = self.hours_left,
                rolled_up = self.rolled_up,
                "the roll-up of stored samples is behind; the rest follows"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Seat;
    use futures_util::FutureExt;

    /// A backlog is worked off, and whoever waits for the session has it after the slice that was begun.
    #[tokio::test]
    async fn a_backlog_lets_other_jobs_have_the_session() {
        const HOURS: i64 = 5;
        let database = testkit::migrated().await.unwrap();
        database
            .sql(
                "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('this', 'this'); \
                 SELECT collector.ensure_partition('system_metrics_raw', NULL); \
                 INSERT INTO collector.system_metrics_raw (ts, host_id, load_1) \
                 SELECT date_bin('1 hour', now(), 'epoch') - n * interval '1 hour', h.host_id, n \
                 FROM generate_series(2, 6) n, collector.hosts h; \
                 INSERT INTO collector.changed_hours (host_id, bucket) \
                 SELECT host_id, ts FROM collector.system_metrics_raw",
            )
            .await
            .unwrap();
        let seat = Seat::default();
        let of = |name| {
            let options = crate::settings::patient_session(&Config::default());
            Analysis::new(
                database.target(),
                options,
                name,
                "this".to_owned(),
                seat.clone(),
            )
        };
        let mut history = HistoryJob {
            analysis: of("a test"),
            status: SharedStatus::default(),
            slice: Duration::ZERO,
        };
        let mut other = of("another");

        let mut run = Box::pin(history.run(Turn::Woken));
        assert!((&mut run).now_or_never().is_none(), "it has the session");
        let mut turns = Vec::new();
        let done = loop {
            tokio::select! {
                biased;
                done = &mut run => break done.unwrap(),
                host = other.take() => {
                    let host = host.unwrap();
                    let left = "SELECT count(*) FROM collector.changed_hours";
                    let left: i64 = host.session.client.query_one(left, &[]).await.unwrap().get(0);
                    turns.push(HOURS - left);
                    other.keep(host);
                }
            }
        };
        // A slice may also be that of a day that is over.
        turns.dedup();
        assert_eq!(turns.get(..4), Some([1, 2, 3, 4].as_slice()), "{turns:?}");
        assert!(done >= 5, "all is rolled up: {done}");
    }
}
