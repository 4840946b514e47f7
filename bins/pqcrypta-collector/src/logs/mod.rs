//! Logs: a thread reads and parses them, a task stores its batches.
//!
//! Reading uses the processor as long as lines are waiting, so it runs in a separate thread and does not
//! delay ticks. The session is closed while no lines come, and opened for the next batch. A batch is encoded there, handed over, and stored in one transaction with the positions
//! after it; meanwhile the next one is read, and no other, which bounds the memory of a burst.
//!
//! Any error ends both the session and the thread; the next ones begin at the positions in the database.
//! So nothing here keeps track of what was stored, and nothing is stored twice. The pauses between
//! sessions grow until one of them has stored something. Meanwhile every source is `blocked`, and lines
//! that were read but not stored count as its backlog: a source is not `ok` while its lines cannot be stored.

mod encode;
mod plan;
mod reading;
mod requests;
mod sources;

use crate::room;
use config::Config;
use encode::Encoded;
use plan::Plan;
use reading::{Reading, Stored};
use schema::Timestamp;
use schema::micros::{DAY, HOUR};
pub(crate) use sources::Sources;
use std::time::Duration;
use store::crowding::Purpose;
use store::logs::{LogError, LogLink};
use store::status::{Link, SharedStatus};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Patterns that are restored at start: more than the logs of one host usually have.
const RESTORED_PATTERNS: i64 = 20_000;
/// How often patterns are closed and deleted.
const SETTLE_EVERY: Duration = Duration::from_secs(300);
/// A pattern that was not seen for this long is closed.
const SILENT: i64 = HOUR;
/// How often the link of the sample writer is checked while there is none.
const LINK_CHECK_EVERY: Duration = Duration::from_millis(250);
/// How long the session stays open without lines.
const IDLE: Duration = Duration::from_secs(10);
/// Time limit for closing the session.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// Settings and shared state for storing log lines.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) target: pg::Target,
    pub(crate) session: pg::SessionOptions,
    pub(crate) machine_id: String,
    pub(crate) sources: Sources,
    /// Status of the sample writer: while it has no link to the database, none is opened here.
    pub(crate) status: SharedStatus,
    pub(crate) clock: fn() -> Timestamp,
}

/// Why a session ended.
enum End {
    Stopped,
    /// The configuration changed, or another agent took over.
    Changed,
    Broken(LogError),
}

/// Logs changes in the state of the link to the database.
#[derive(Default)]
struct LinkLogger {
    /// The error that was logged last; `None` while the link works.
    error: Option<String>,
    /// Whether closing patterns failed the last time.
    is_settling_broken: bool,
}

impl LinkLogger {
    fn works(&mut self) {
        if self.error.take().is_some() {
            tracing::info!("logs are stored again");
        }
    }

    fn settled(&mut self, outcome: Result<(), LogError>) {
        match outcome {
            Ok(()) => self.is_settling_broken = false,
            Err(error) if !self.is_settling_broken => {
                tracing::warn!(%error, "closing log patterns failed; will retry");
                self.is_settling_broken = true;
            }
            Err(_) => {}
        }
    }

    fn broken(&mut self, error: &LogError) {
        let text = error.to_string();
        if self.error.as_ref() != Some(&text) {
            match error {
                // The sample writer reports what is wrong with the database, or is just starting.
                LogError::Open(_) => {
                    tracing::debug!(error = text, "logs wait in their sources");
                }
                _ => tracing::warn!(error = text, "logs wait in their sources"),
            }
            self.error = Some(text);
        }
    }
}

/// What one session leaves for the next.
#[derive(Default)]
struct Retry {
    backoff: pg::Backoff,
    logger: LinkLogger,
    /// Whether the next session bisects batches to find the rows that the database refuses.
    by_halves: bool,
}

impl Retry {
    /// Returns how long to wait after an error; zero for one that the next session resolves.
    fn after(&mut self, error: &LogError, has_stored: bool, sources: &Sources) -> Duration {
        self.logger.broken(error);
        let was_by_halves = self.by_halves;
        self.by_halves = matches!(error, LogError::Poison(_));
        let is_brief = match error {
            LogError::Fenced => has_stored,
            LogError::Poison(_) => has_stored || !was_by_halves,
            _ => false,
        };
        if is_brief {
            return Duration::ZERO;
        }
        sources.block(&error.to_string());
        self.backoff.next(store::writer::jitter())
    }
}

impl Logs {
    /// Runs sessions until it is stopped.
    pub(crate) async fn run(
        self,
        mut config: watch::Receiver<Config>,
        mut standby: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut retry = Retry::default();
        loop {
            let plan = Plan::of(&config.borrow_and_update());
            self.sources.follow(&plan);
            let idle = plan.sources.is_empty() || *standby.borrow_and_update();
            let pause = if idle {
                None
            } else if self.status.get().link != Link::Connected {
                self.sources
                    .block("the collector has no link to its database");
                Some(LINK_CHECK_EVERY)
            } else {
                let mut signals = Signals {
                    config: &mut config,
                    standby: &mut standby,
                    stop: &mut stop,
                };
                let (end, has_stored) = self.serve(&plan, &mut retry, &mut signals).await;
                if has_stored {
                    retry.backoff.reset();
                }
                match end {
                    End::Stopped => return,
                    End::Changed => continue,
                    End::Broken(error) => Some(retry.after(&error, has_stored, &self.sources)),
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

    /// Runs one session: reads from the stored positions until something changes or fails. Returns why it
    /// ended and whether it stored a batch.
    async fn serve(
        &self,
        plan: &Plan,
        retry: &mut Retry,
        signals: &mut Signals<'_>,
    ) -> (End, bool) {
        let (link, stored) = match self.begin(signals).await {
            Ok(begun) => begun,
            Err(end) => return (end, false),
        };
        let mut link = Some(link);
        let mut has_stored = false;
        self.sources.begin_again();
        let mut reading = Reading::start(plan, stored, self.sources.clone(), self.clock);
        let mut settle_at = Instant::now();
        let mut idle_at = Instant::now() + IDLE;
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
                    let link = match self.linked(&mut link).await {
                        Ok(link) => link,
                        Err(error) => break End::Broken(error),
                    };
                    link.forget_partitions();
                    // A lost link is noticed with the next batch.
                    retry.logger.settled(self.settle(link, plan).await);
                }
                () = tokio::time::sleep_until(idle_at), if link.is_some() => {
                    if let Some(link) = link.take() {
                        link.close(CLOSE_WITHIN).await;
                    }
                }
                batch = reading.next() => {
                    let Some(batch) = batch else {
                        break End::Broken(LogError::Statement {
                            what: "reading logs",
                            message: "the reading thread ended unexpectedly".to_owned(),
                        });
                    };
                    let stored = match self.linked(&mut link).await {
                        Ok(link) => self.store(link, plan, &batch, retry.by_halves).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = stored {
                        break End::Broken(error);
                    }
                    idle_at = Instant::now() + IDLE;
                    retry.logger.works();
                    retry.by_halves = false;
                    has_stored = true;
                    self.sources.stored(batch.counters);
                }
            }
        };
        // A batch that is being read is dropped: it will be read again.
        reading.end().await;
        if let Some(link) = link.filter(|_| !matches!(end, End::Broken(_))) {
            link.close(CLOSE_WITHIN).await;
        }
        (end, has_stored)
    }

    /// Opens a session.
    async fn open(&self) -> Result<LogLink, LogError> {
        let opened = LogLink::open(
            &self.target,
            &self.session,
            &self.machine_id,
            (self.clock)(),
        );
        let opened = opened.await;
        room::note(&self.status, Purpose::Logs, opened.as_ref().err());
        Ok(opened?)
    }

    /// Returns the session, opened anew if it was closed. What was read before stays valid: the positions of a batch say whether
    /// somebody else stored lines meanwhile.
    async fn linked<'a>(&self, link: &'a mut Option<LogLink>) -> Result<&'a mut LogLink, LogError> {
        match link {
            Some(link) => Ok(link),
            None => Ok(link.insert(self.open().await?)),
        }
    }

    /// Opens a session and loads what reading starts from.
    async fn begin(&self, signals: &mut Signals<'_>) -> Result<(LogLink, Stored), End> {
        let link = tokio::select! {
            link = self.open() => link.map_err(End::Broken)?,
            _ = signals.stop.changed() => return Err(End::Stopped),
        };
        let load = async {
            Ok(Stored {
                host_id: link.host_id(),
                positions: link.positions().await?,
                patterns: link.patterns(RESTORED_PATTERNS).await?,
                next_line: link.reserve_lines().await?,
            })
        };
        let stored = load.await.map_err(End::Broken)?;
        Ok((link, stored))
    }

    /// Closes patterns that are no longer seen, and deletes expired ones.
    async fn settle(&self, link: &LogLink, plan: &Plan) -> Result<(), LogError> {
        let now = (self.clock)().as_micros();
        // While the clocks disagree, nothing is expired.
        let agrees = store::expiry::clocks_agree(self.status.get().clock_ahead_micros);
        let expired = if agrees {
            now - plan.pattern_days * DAY
        } else {
            0
        };
        link.settle(Timestamp(now - SILENT), Timestamp(expired))
            .await
    }

    /// Stores a batch within the deadline of each step.
    async fn store(
        &self,
        link: &mut LogLink,
        plan: &Plan,
        batch: &Encoded,
        by_halves: bool,
    ) -> Result<(), LogError> {
        let late = |what| LogError::Statement {
            what,
            message: format!("no answer within {} s", plan.deadline.as_secs()),
        };
        let prepared = timeout(plan.deadline, link.prepare(&batch.batch, (self.clock)()));
        prepared.await.map_err(|_| late("creating partitions"))??;
        let stored = timeout(plan.deadline, link.store(&batch.batch, by_halves));
        let stored = stored.await.map_err(|_| late("storing lines"))??;
        self.status
            .update(|status| status.dead_letters += stored.dead_letters);
        Ok(())
    }
}

/// Signals that can interrupt a session.
struct Signals<'a> {
    config: &'a mut watch::Receiver<Config>,
    standby: &'a mut watch::Receiver<bool>,
    stop: &'a mut watch::Receiver<bool>,
}
