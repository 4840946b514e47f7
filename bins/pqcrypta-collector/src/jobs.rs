//! The ticks of the host and of the services, as jobs of the schedule.

use crate::clock;
use crate::liveness::Progress;
use crate::sampling::Sampling;
use crate::schedule::{Job, Needs, Plan, Turn};
use crate::services::Services;
use crate::settings::budget_bytes;
use crate::watched::Watched;
use config::Config;
use std::time::Duration;
use store::queue::Queue;
use store::status::SharedStatus;

/// Samples the host.
#[derive(Debug)]
pub(crate) struct HostJob {
    pub(crate) sampling: Sampling,
    pub(crate) queue: Queue,
    /// Hears of each tick.
    pub(crate) progress: Progress,
}

impl Job for HostJob {
    const PLAN: Plan = Plan {
        name: "host",
        needs: Needs::Active,
        is_recorded: false,
    };

    fn interval(&self, config: &Config) -> Duration {
        Duration::from_secs(u64::from(config.intervals.system_secs))
    }

    async fn run(&mut self, turn: Turn) -> anyhow::Result<usize> {
        let late = match turn {
            Turn::Tick(late) => late,
            Turn::Woken => Duration::ZERO,
        };
        let is_queued = self.sampling.sample(clock::now(), late).await;
        self.progress.ticked(is_queued);
        Ok(1)
    }

    async fn reconfigure(&mut self, config: &Config) {
        let budget = budget_bytes(config);
        self.sampling.watch(config.collector.processes.clone());
        self.sampling.sum_below(config.collector.process_floor_mb);
        let textfile = self.sampling.textfile();
        textfile.set_path(config.collector.textfile.as_deref());
        self.sampling.set_budget(budget);
        self.sampling.findings().reconfigure(config);
        self.queue
            .with_spool(move |spool| spool.set_budget(budget))
            .await;
    }
}

/// Samples the services.
pub(crate) struct ServicesJob {
    services: Services,
    watched: Watched,
    slow: Duration,
    /// What the writer knows of the store.
    status: SharedStatus,
}

impl ServicesJob {
    /// Starts the services of this configuration.
    pub(crate) fn new(mut services: Services, config: &Config, status: SharedStatus) -> Self {
        let watched = Watched::of(config);
        watched.add_to(&mut services, &status);
        Self {
            services,
            status,
            watched,
            slow: slow(config),
        }
    }
}

impl Job for ServicesJob {
    const PLAN: Plan = Plan {
        name: "services",
        needs: Needs::Active,
        is_recorded: false,
    };

    fn interval(&self, config: &Config) -> Duration {
        Duration::from_secs(u64::from(config.intervals.app_secs))
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        self.services.tick(clock::now(), self.slow).await;
        Ok(1)
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.slow = slow(config);
        let wanted = Watched::of(config);
        if wanted != self.watched {
            self.services
                .replace(|services| wanted.add_to(services, &self.status))
                .await;
            self.watched = wanted;
        }
    }

    async fn close(self) {
        self.services.close().await;
    }
}

/// Returns the time between two slow ticks of the services.
fn slow(config: &Config) -> Duration {
    Duration::from_secs(u64::from(config.intervals.pg_extended_secs))
}
