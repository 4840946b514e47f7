//! Logs: a thread reads and understands them, a task stores what it gives.
//!
//! Reading takes the processor for as long as lines wait, so it has a thread of its own and delays no
//! tick. A batch is encoded there, handed over, and stored in one transaction with the positions
//! behind it; one more may wait and one be made meanwhile, which bounds the memory of a burst.
//!
//! Whatever goes wrong ends both the session and the thread; the next ones begin at the positions the
//! database has. So nothing here remembers what was stored, and nothing is stored twice. The pauses between
//! sessions grow until one of them has stored something. Meanwhile every source is `blocked`, with what
//! was read and not stored as part of its backlog: a source is never well while its lines cannot be stored.

mod encode;
mod plan;
mod reading;
mod requests;
mod sources;

use config::Config;
use plan::Plan;
use reading::{Reading, Stored};
use schema::Timestamp;
use schema::micros::{DAY, HOUR};
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
const SILENT: i64 = HOUR;
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
    /// Whether patterns cannot be closed and forgotten.
    is_unsettled: bool,
}

impl Voice {
    fn works(&mut self) {
        if self.said.take().is_some() {
            tracing::info!("logs are stored again");
        }
    }

    fn settled(&mut self, outcome: Result<(), LogError>) {
        match outcome {
            Ok(()) => self.is_unsettled = false,
            Err(error) if !self.is_unsettled => {
                tracing::warn!(%error, "patterns of logs stay open; tried again later");
                self.is_unsettled = true;
            }
            Err(_) => {}
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
                self.sources
                    .block("the collector has no link to its database");
                Some(ASK_AGAIN)
            } else {
                let mut signals = Signals {
                    config: &mut config,
                    standby: &mut standby,
                    stop: &mut stop,
                };
                let (end, has_stored) =
                    self.serve(&plan, by_halves, &mut voice, &mut signals).await;
                if has_stored {
                    backoff.reset();
                }
                match end {
                    End::Stopped => return,
                    End::Changed => continue,
                    End::Broken(error) => {
                        voice.broken(&error);
                        let was_by_halves = by_halves;
                        by_halves = matches!(error, LogError::Poison(_));
                        // What is over with the next session is no block.
                        let is_brief = match error {
                            LogError::Fenced => has_stored,
                            LogError::Poison(_) => has_stored || !was_by_halves,
                            _ => false,
                        };
                        if is_brief {
                            Some(Duration::ZERO)
                        } else {
                            self.sources.block(&error.to_string());
                            Some(backoff.next(store::writer::jitter()))
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
    ) -> (End, bool) {
        let mut link = match self.open(signals).await {
            Ok(link) => link,
            Err(end) => return (end, false),
        };
        let mut has_stored = false;
        let begun = async {
            Ok(Stored {
                host_id: link.host_id(),
                positions: link.positions().await?,
                patterns: link.patterns(KNOWN_PATTERNS).await?,
                next_line: link.reserve_lines().await?,
            })
        };
        let stored = match begun.await {
            Ok(begun) => begun,
            Err(error) => return (End::Broken(error), false),
        };
        self.sources.begin_again();
        let mut reading = Reading::start(plan, stored, self.sources.clone(), self.clock);
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
                    link.forget_partitions();
                    let now = (self.clock)();
                    // By a clock that is wrong nothing is old.
                    let agrees = store::expiry::clocks_agree(self.status.get().clock_ahead_micros);
                    let old = match agrees {
                        true => now.as_micros() - plan.event_days * DAY,
                        false => 0,
                    };
                    let silent = Timestamp(now.as_micros() - SILENT);
                    // A link that is gone shows with the next batch.
                    voice.settled(link.settle(silent, Timestamp(old)).await);
                }
                batch = reading.next() => {
                    let Some(batch) = batch else {
                        break End::Broken(LogError::Statement {
                            what: "reading logs",
                            said: "the thread that reads ended by itself".to_owned(),
                        });
                    };
                    let late = |what| LogError::Statement {
                        what,
                        said: format!("no answer within {} s", plan.deadline.as_secs()),
                    };
                    let prepared = link.prepare(&batch.batch, (self.clock)());
                    match timeout(plan.deadline, prepared).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => break End::Broken(error),
                        Err(_) => break End::Broken(late("making partitions")),
                    }
                    match timeout(plan.deadline, link.store(&batch.batch, by_halves)).await {
                        Ok(Ok(_)) => {
                            voice.works();
                            by_halves = false;
                            has_stored = true;
                            self.sources.stored(batch.sums);
                        }
                        Ok(Err(error)) => break End::Broken(error),
                        Err(_) => break End::Broken(late("storing lines")),
                    }
                }
            }
        };
        // What is being made is thrown away: it is read again.
        reading.end().await;
        if !matches!(end, End::Broken(_)) {
            link.close(CLOSE_WITHIN).await;
        }
        (end, has_stored)
    }

    async fn open(&self, signals: &mut Signals<'_>) -> Result<LogLink, End> {
        tokio::select! {
            link = LogLink::open(&self.target, &self.session, &self.machine_id, (self.clock)()) => {
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
