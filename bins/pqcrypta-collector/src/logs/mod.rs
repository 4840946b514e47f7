//! Logs: a thread reads and understands them, a task stores what it gives.
//!
//! Reading takes the processor for as long as lines wait, so it has a thread of its own and delays no
//! tick. A batch is encoded there, handed over, and stored in one transaction with the positions
//! behind it; one more may wait and one be made meanwhile, which bounds the memory of a burst.
//!
//! Whatever goes wrong ends both the session and the thread; the next ones begin at the positions the
//! database has. So nothing here remembers what was stored, and nothing is stored twice.

mod encode;
mod plan;
mod reading;
mod requests;
mod sources;

use config::Config;
use plan::Plan;
use reading::Reading;
use schema::Timestamp;
pub(crate) use sources::Sources;
use std::time::Duration;
use store::logs::{LogError, LogLink};
use store::status::{Link, SharedStatus};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Patterns that are taken back at start: more kinds of lines than a host of this size has.
const KNOWN_PATTERNS: i64 = 20_000;
/// How often patterns are closed and forgotten.
const SETTLE_EVERY: Duration = Duration::from_secs(300);
/// A pattern that was not seen for so long is over, as the reference has it.
const SILENT: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// While the writer of samples has no link, it is looked at so often.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How long a good-bye may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// What storing lines needs to know.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) target: pg::Target,
    pub(crate) session: pg::SessionOptions,
    pub(crate) machine_id: String,
    pub(crate) sources: Sources,
    /// What the writer of samples says of the database: while it has no link, neither is one tried here.
    pub(crate) status: SharedStatus,
    pub(crate) clock: fn() -> Timestamp,
}

/// Why a session ended.
enum End {
    Stopped,
    /// Other sources are to be read, or another agent works.
    Changed,
    Broken(LogError),
}

/// Says what the link to the database is like, when that changes.
#[derive(Default)]
struct Voice {
    said: Option<String>,
}

impl Voice {
    fn works(&mut self) {
        if self.said.take().is_some() {
            tracing::info!("logs are stored again");
        }
    }

    fn broken(&mut self, error: &LogError) {
        let text = error.to_string();
        if self.said.as_ref() != Some(&text) {
            match error {
                // The writer of samples says what is wrong with the database, or just begins.
                LogError::Open(_) => {
                    tracing::debug!(error = text, "logs wait in their sources");
                }
                _ => tracing::warn!(error = text, "logs wait in their sources"),
            }
            self.said = Some(text);
        }
    }
}

impl Logs {
    /// Works until told to stop.
    pub(crate) async fn run(
        self,
        mut config: watch::Receiver<Config>,
        mut standby: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut backoff = pg::Backoff::default();
        let mut voice = Voice::default();
        let mut by_halves = false;
        loop {
            let plan = Plan::of(&config.borrow_and_update());
            self.sources.follow(&plan);
            let idle = plan.sources.is_empty() || *standby.borrow_and_update();
            let pause = if idle {
                None
            } else if self.status.get().link != Link::Connected {
                Some(ASK_AGAIN)
            } else {
                let mut signals = Signals {
                    config: &mut config,
                    standby: &mut standby,
                    stop: &mut stop,
                };
                match self.serve(&plan, by_halves, &mut voice, &mut signals).await {
                    End::Stopped => return,
                    End::Changed => {
                        backoff.reset();
                        continue;
                    }
                    End::Broken(error) => {
                        voice.broken(&error);
                        by_halves = matches!(error, LogError::Poison(_));
                        match error {
                            LogError::Fenced | LogError::Poison(_) => Some(Duration::ZERO),
                            _ => Some(backoff.next(store::writer::jitter())),
                        }
                    }
                }
            };
            let wait = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                _ = stop.changed() => return,
                _ = standby.changed() => {}
                changed = config.changed() => if changed.is_err() { return },
            }
        }
    }

    /// One session: reads from the positions the database has, until something changes or breaks.
    async fn serve(
        &self,
        plan: &Plan,
        mut by_halves: bool,
        voice: &mut Voice,
        signals: &mut Signals<'_>,
    ) -> End {
        let mut link = match self.open(signals).await {
            Ok(link) => link,
            Err(end) => return end,
        };
        let begun = async {
            let positions = link.positions().await?;
            Ok((positions, link.patterns(KNOWN_PATTERNS).await?))
        };
        let (positions, patterns) = match begun.await {
            Ok(begun) => begun,
            Err(error) => return End::Broken(error),
        };
        let mut reading =
            Reading::start(plan, positions, patterns, self.sources.clone(), self.clock);
        let mut settle_at = Instant::now();
        let end = loop {
            tokio::select! {
                _ = signals.stop.changed() => break End::Stopped,
                _ = signals.standby.changed() => break End::Changed,
                changed = signals.config.changed() => {
                    if changed.is_err() {
                        break End::Stopped;
                    }
                    if Plan::of(&signals.config.borrow_and_update()) != *plan {
                        break End::Changed;
                    }
                }
                () = tokio::time::sleep_until(settle_at) => {
                    settle_at = Instant::now() + SETTLE_EVERY;
                    let now = (self.clock)();
                    let old = now.as_micros() - plan.event_days * DAY_MICROS;
                    let silent = Timestamp(now.as_micros() - SILENT);
                    if let Err(error) = link.settle(silent, Timestamp(old)).await {
                        break End::Broken(error);
                    }
                }
                batch = reading.next() => {
                    let Some(batch) = batch else {
                        break End::Broken(LogError::Statement {
                            what: "reading logs",
                            said: "the thread that reads ended by itself".to_owned(),
                        });
                    };
                    match timeout(plan.deadline, link.store(&batch.batch, by_halves)).await {
                        Ok(Ok(_)) => {
                            voice.works();
                            by_halves = false;
                            self.sources.stored(batch.sums);
                        }
                        Ok(Err(error)) => break End::Broken(error),
                        Err(_) => break End::Broken(LogError::Statement {
                            what: "storing lines",
                            said: format!("no answer within {} s", plan.deadline.as_secs()),
                        }),
                    }
                }
            }
        };
        // What is being made is thrown away: it is read again.
        reading.end().await;
        if !matches!(end, End::Broken(_)) {
            link.close(CLOSE_WITHIN).await;
        }
        end
    }

    async fn open(&self, signals: &mut Signals<'_>) -> Result<LogLink, End> {
        tokio::select! {
            link = LogLink::open(&self.target, &self.session, &self.machine_id) => {
                link.map_err(|error| End::Broken(error.into()))
            }
            _ = signals.stop.changed() => Err(End::Stopped),
        }
    }
}

/// What can interrupt a session.
struct Signals<'a> {
    config: &'a mut watch::Receiver<Config>,
    standby: &'a mut watch::Receiver<bool>,
    stop: &'a mut watch::Receiver<bool>,
}
