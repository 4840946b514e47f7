//! Periodic work: one loop for every job.
//!
//! A [`Job`] states how often it runs, what it needs, and how long a run may take. [`Schedule::run`] does the
//! rest: aligned ticks, wake-ups between them, standby, waiting for the database, changes of the
//! configuration, the deadline, shutdown, and the row in `collector_runs_raw` with the outcome.
//!
//! Each job has its own task, so that none delays another. A failed run does not change the schedule: it is logged
//! when its cause changes, and the next run starts when it is due. One that could not begin, as the database had no room for its
//! session or another job must be first, did not fail: it runs again soon.

mod pace;
mod ticker;

use config::Config;
use pace::Pace;
use schema::tables::CollectorRun;
use schema::{RunOutcome, Sample, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::host::OpenError;
use store::queue::Queue;
use store::status::{Link, SharedStatus};
use store::writer::jitter;
use ticker::Ticker;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// How often the writer's connection is checked while a job waits for it.
const LINK_EVERY: Duration = Duration::from_secs(1);

/// Time for the work of each host with the store, beyond delivery: opening a session and its statements.
const STORE_WORK: Duration = Duration::from_millis(250);

/// Pause after a run that could not begin; with jitter, as other hosts meet the same.
const POSTPONED: Duration = Duration::from_secs(30);

/// Why a run could not begin yet.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("waits until {0}")]
pub(crate) struct Postponed(pub(crate) &'static str);

/// The precondition of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing; it runs on standby too.
    Nothing,
    /// No other collector samples this host; a tick on standby is skipped.
    Active,
    /// The same, and the writer is connected to the database; a tick waits for it.
    Link,
}

/// The name of a job and its requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Name in log messages and in `collector_runs_raw.collector`.
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    /// Whether the schedule stores a row for each run. A collector stores its rows itself.
    pub(crate) is_recorded: bool,
}

/// The trigger of runs between ticks.
#[derive(Clone, Debug)]
pub(crate) enum Wake {
    Never,
    /// Each notification, at once.
    AtOnce(Arc<Notify>),
    /// Notifications, at the rate of [`pace`].
    Paced(Arc<Notify>),
}

/// Why a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Its tick is due; with the delay.
    Tick(Duration),
    /// It was woken between ticks.
    Woken,
}

/// Periodic work.
pub(crate) trait Job: Send {
    /// Name and requirements.
    const PLAN: Plan;

    /// Returns the time between two ticks.
    fn interval(&self, config: &Config) -> Duration;

    /// Returns the trigger of runs between ticks.
    fn wake(&self) -> Wake {
        Wake::Never
    }

    /// Returns how long a run may take. A run with a deadline is dropped at the end of the program; one
    /// without is finished.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Runs once; returns the number of rows or findings.
    fn run(&mut self, turn: Turn) -> impl Future<Output = anyhow::Result<usize>> + Send;

    /// Applies a change of the configuration.
    fn reconfigure(&mut self, _: &Config) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Shuts the job down.
    fn close(self) -> impl Future<Output = ()> + Send
    where
        Self: Sized,
    {
        async {}
    }
}

/// The inputs that every job follows.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) config: watch::Receiver<Config>,
    pub(crate) standby: watch::Receiver<bool>,
    pub(crate) stop: watch::Receiver<bool>,
    /// What the writer of samples reports of the database.
    pub(crate) status: SharedStatus,
    /// Takes the rows of runs.
    pub(crate) queue: Queue,
    pub(crate) clock: fn() -> Timestamp,
}

impl Schedule {
    /// Runs the job until the end of the program.
    pub(crate) async fn run<J: Job>(mut self, mut job: J) {
        let mut ticker = Ticker::new(job.interval(&self.config.borrow_and_update()), self.clock);
        let mut waker = Waker::new(job.wake());
        let mut trouble = None;
        // When a run that could not begin is made up for.
        let mut again: Option<Instant> = None;
        loop {
            let turn = tokio::select! {
                _ = self.stop.changed() => break,
                changed = self.config.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let config = self.config.borrow_and_update().clone();
                    ticker.set_interval(job.interval(&config));
                    job.reconfigure(&config).await;
                    continue;
                }
                late = ticker.tick() => Turn::Tick(late),
                () = waker.due() => Turn::Woken,
                () = due(again) => Turn::Woken,
            };
            again = None;
            let Some(is_ready) = self.ready(J::PLAN.needs).await else {
                break;
            };
            if matches!(turn, Turn::Tick(_)) && J::PLAN.needs == Needs::Link {
                // The jobs of all hosts are due at the same instant, and each has a session.
                let longest = job.interval(&self.config.borrow()) / 2;
                let place = self.status.get().place;
                tokio::select! {
                    _ = self.stop.changed() => break,
                    () = tokio::time::sleep(place.offset(STORE_WORK, longest)) => {}
                }
            }
            if !is_ready {
                waker.ran(Instant::now(), Duration::ZERO);
                continue;
            }
            // This run stands for the ticks that passed while it waited.
            ticker.skip_missed();
            let begun = Instant::now();
            let Some(outcome) = self.run_once(&mut job, turn).await else {
                break;
            };
            waker.ran(begun, begun.elapsed());
            if let Err(error) = &outcome
                && is_postponed(error)
            {
                tracing::debug!(job = J::PLAN.name, %error, "a periodic job runs later");
                again = Some(Instant::now() + POSTPONED.mul_f64(0.5 + 0.5 * jitter()));
                continue;
            }
            self.report(J::PLAN, &outcome, begun.elapsed(), &mut trouble)
                .await;
        }
        job.close().await;
    }

    /// Waits for the precondition of a job; returns whether it may run, and `None` when the program stops.
    async fn ready(&mut self, needs: Needs) -> Option<bool> {
        if needs == Needs::Link {
            let status = &self.status;
            let linked = async {
                while status.get().link != Link::Connected {
                    tokio::time::sleep(LINK_EVERY).await;
                }
            };
            tokio::select! {
                _ = self.stop.changed() => return None,
                () = linked => {}
            }
        }
        Some(needs == Needs::Nothing || !*self.standby.borrow_and_update())
    }

    /// Runs the job within its deadline; returns `None` when the program stops meanwhile.
    async fn run_once<J: Job>(&mut self, job: &mut J, turn: Turn) -> Option<anyhow::Result<usize>> {
        let Some(deadline) = job.deadline() else {
            return Some(job.run(turn).await);
        };
        tokio::select! {
            _ = self.stop.changed() => None,
            outcome = timeout(deadline, job.run(turn)) => Some(outcome.unwrap_or_else(|_| {
                Err(anyhow::anyhow!("no answer within {} s", deadline.as_secs()))
            })),
        }
    }

    /// Logs the outcome of a run when its cause changed, and stores it where the plan asks for that.
    async fn report(
        &self,
        plan: Plan,
        outcome: &anyhow::Result<usize>,
        took: Duration,
        trouble: &mut Option<String>,
    ) {
        let error = outcome.as_ref().err().map(ToString::to_string);
        if *trouble != error {
            match &error {
                Some(error) => tracing::warn!(job = plan.name, error, "a periodic job fails"),
                None => tracing::info!(job = plan.name, "the periodic job works again"),
            }
            trouble.clone_from(&error);
        }
        if !plan.is_recorded {
            return;
        }
        let ended = if error.is_some() {
            RunOutcome::Failed
        } else {
            RunOutcome::Ok
        };
        let run = CollectorRun {
            collector: plan.name.to_owned(),
            outcome: ended.as_str().to_owned(),
            duration_ms: took.as_secs_f64() * 1000.0,
            rows: outcome
                .as_ref()
                .map_or(0, |rows| i64::try_from(*rows).unwrap_or(i64::MAX)),
            error,
        };
        let ts = (self.clock)();
        if let Err(error) = self.queue.append(ts, vec![run.into_row(ts)]).await {
            tracing::error!(%error, job = plan.name, "the spool refused the run of a periodic job");
        }
    }
}

/// Returns whether a run could not begin. That the database has no room for its session is noted by what opens it.
fn is_postponed(error: &anyhow::Error) -> bool {
    let open = error.downcast_ref::<OpenError>();
    open.is_some_and(OpenError::is_crowded) || error.is::<Postponed>()
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for the trigger of a job.
struct Waker {
    wake: Wake,
    pace: Pace,
}

impl Waker {
    fn new(wake: Wake) -> Self {
        Self {
            wake,
            pace: Pace::default(),
        }
    }

    /// Waits until the job is to run; may be dropped without losing a notification.
    async fn due(&mut self) {
        match &self.wake {
            Wake::Never => std::future::pending().await,
            Wake::AtOnce(notify) => notify.notified().await,
            Wake::Paced(news) => loop {
                tokio::select! {
                    () = news.notified() => self.pace.news(Instant::now()),
                    () = self.pace.due() => return,
                }
            },
        }
    }

    fn ran(&mut self, begun: Instant, took: Duration) {
        self.pace.ran(begun, took);
    }
}

#[cfg(test)]
mod tests;
