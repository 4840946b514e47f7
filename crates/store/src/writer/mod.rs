//! Drains the spool into the database, exactly once.
//!
//! One task owns the one connection. It connects (with growing, jittered pauses), takes the host's
//! lock, reads from the database how far the spool is delivered, and then delivers whatever the
//! spool has: one transaction is a COPY per table and the new [`progress`](crate::progress) by
//! compare-and-set. The local files are never asked what was sent.
//!
//! What goes wrong, and what follows:
//!
//! * *The link breaks or a time-out passes*: the outcome may be unknown, so the connection is
//!   dropped (after a cancel request) and the progress is read again before anything is sent.
//! * *A table is locked, missing or forbidden*: the others are stored without it, and its rows of these
//!   records are deferred: tried again with growing pauses.
//! * *The server refuses the content of rows*: they are tried in halves until the culprit is alone;
//!   it goes to `dead_letter`, its neighbours are stored in the same transaction.
//! * *No partition takes the rows of a table*: that is not their fault. The partitions are looked for
//!   again and made, and the transaction is tried once more.
//! * *The spool's disk takes nothing*: what is held in memory is delivered from there (see
//!   [`queue`](crate::queue)). Such rows have no number in the spool, so whether a transaction of unknown
//!   outcome stored them follows from `seq` in the database, which each transaction moves by one.
//! * *The spool cannot be read or tidied up*: what else there is is delivered, and it is tried again.
//! * *A session achieves nothing* (the database's disk is full, a right was revoked): the pauses go on
//!   growing until a transaction is committed; that there was a connection proves nothing.
//! * *Another agent holds the host's lock*: this one waits and samples nothing.
//! * *The schema is newer*: nothing is written; the spool keeps what it can.
//! * *The spool is an older copy of itself, or the database an older one*: the spool gives colliding
//!   records new numbers; what neither of them has any more is a gap.

pub(crate) mod batch;
pub(crate) mod copy;
mod deferred;
mod insert;
mod link;
mod session;
mod transaction;
pub(crate) mod upkeep;

use crate::expiry::Retention;
use crate::queue::Queue;
use crate::status::{Link as LinkState, SharedStatus};
use deferred::DeferredTable;
use link::{Link, LinkError};
use schema::Timestamp;
use session::Session;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use upkeep::Troubles;
use uuid::Uuid;

/// Rows this much older than what was stored before count as history that changed.
const LATE: i64 = 60 * 1_000_000;
/// How long another agent's host is left alone before asking again.
const HELD_PAUSE: Duration = Duration::from_secs(5);
/// How long a stopping writer may try to deliver what waits.
const FINAL_FLUSH: Duration = Duration::from_secs(2);

/// The machine, as it stands in `collector.hosts`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// Identity of the installation; the key.
    pub machine_id: String,
    /// Name.
    pub hostname: String,
    /// Kernel release.
    pub kernel: String,
    /// Name of the distribution.
    pub os: String,
    /// Cores online.
    pub cores: Option<i32>,
    /// Memory, bytes.
    pub memory_bytes: Option<i64>,
    /// Identity of this boot.
    pub boot_id: Option<String>,
    /// When it booted.
    pub boot_ts: Option<Timestamp>,
}

/// This run of the agent, as it stands in `collector.agent_runs`.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Identity of its spool.
    pub writer: Uuid,
    /// Identity of this run.
    pub run_id: Uuid,
    /// Its process.
    pub pid: i32,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Settings in force as JSON, secrets masked; follows every reload.
    pub settings: watch::Receiver<String>,
}

impl Agent {
    fn settings(&self) -> String {
        self.settings.borrow().clone()
    }
}

/// What can be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Deadline of one transaction; the session's own limits are shorter.
    pub deadline: Duration,
    /// Records of the spool that one transaction takes at most, live and backlog each.
    pub batch_records: usize,
    /// Pause between heartbeats.
    pub heartbeat: Duration,
    /// What this host asks to be kept.
    pub retention: Retention,
}

/// The clock, passed in.
pub type Clock = fn() -> Timestamp;

/// The task that delivers.
#[derive(Debug)]
pub struct Writer {
    /// The spool.
    pub queue: Queue,
    /// The database.
    pub target: pg::Target,
    /// Limits of the session.
    pub session: pg::SessionOptions,
    /// The machine.
    pub host: Host,
    /// This run.
    pub agent: Agent,
    /// What can change.
    pub options: watch::Receiver<Options>,
    /// Where it says what it does.
    pub status: SharedStatus,
    /// Turns true when another agent works and this one must not sample.
    pub standby: watch::Sender<bool>,
    /// Turns true when it is time to stop.
    pub stop: watch::Receiver<bool>,
    /// The clock.
    pub clock: Clock,
}

/// A random number from 0 to 1, so that many agents do not come back in step.
#[must_use]
pub fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

/// What the server said, or what happened to the link; never a secret.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => pg::causes(error),
    }
}

/// Why a table is deferred when even its new partitions do not take its rows.
const NO_PARTITION: &str = "no partition takes its rows";

/// What keeps a batch from being stored.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    /// The server refuses the content of rows of this table.
    Content(&'static str),
    /// No partition takes the rows of this table.
    Homeless(&'static str),
    /// This table takes no rows now.
    Table(&'static str),
    /// The heartbeat that went along was refused.
    Heartbeat,
}

/// Why a session ended.
enum End {
    Stopped,
    Broken(String),
    /// Look again at once on a new connection: the progress is not what was thought, or a table
    /// that did not take its rows spoilt this one.
    Renew,
}

impl Writer {
    /// Works until told to stop.
    pub async fn run(mut self) {
        let mut backoff = pg::Backoff::default();
        let mut memory = Memory::default();
        loop {
            let pause = match self.open().await {
                Ok(link) => {
                    self.standby.send_replace(false);
                    let is_news = self.status.link(LinkState::Connected, None);
                    if is_news && memory.lost.is_none() {
                        tracing::info!(host_id = link.host_id, "connected; delivering");
                    }
                    let mut session = Session::new(&mut self, &mut memory, link);
                    let end = session.serve().await;
                    if session.achieved {
                        backoff.reset();
                    }
                    let achieved = session.achieved;
                    if memory.in_doubt.is_none() {
                        self.queue.settle_held(&[]).await;
                    }
                    match end {
                        End::Stopped => return,
                        End::Renew if achieved => Duration::ZERO,
                        End::Renew => backoff.next(jitter()),
                        End::Broken(error) => {
                            self.status.link(LinkState::Connecting, Some(error.clone()));
                            if memory.lost.as_ref() != Some(&error) {
                                tracing::warn!(
                                    error,
                                    "lost the database; samples wait in the spool"
                                );
                            }
                            memory.lost = Some(error);
                            backoff.next(jitter())
                        }
                    }
                }
                Err(error) => self
                    .refused(&error)
                    .unwrap_or_else(|| backoff.next(jitter())),
            };
            if *self.stop.borrow() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.stop.changed() => return,
            }
        }
    }

    async fn open(&mut self) -> Result<Link, LinkError> {
        self.status.update(|status| status.connections += 1);
        let open = link::open(
            &self.target,
            &self.session,
            &self.host,
            &self.agent,
            self.clock,
        );
        tokio::select! {
            link = open => link,
            _ = self.stop.changed() => Err(LinkError::Held { holder: "stopping".to_owned() }),
        }
    }

    /// Says why there is no link; gives the pause where it is not that of a broken one.
    fn refused(&self, error: &LinkError) -> Option<Duration> {
        let (state, pause) = match error {
            LinkError::Connect(_) | LinkError::Statement { .. } => (LinkState::Connecting, None),
            LinkError::Held { .. } => (LinkState::Waiting, Some(HELD_PAUSE)),
            LinkError::Schema(_) | LinkError::Progress { .. } => (LinkState::Refused, None),
        };
        if !*self.stop.borrow() {
            self.standby.send_replace(state == LinkState::Waiting);
            if self.status.link(state, Some(error.to_string())) {
                match state {
                    LinkState::Refused => tracing::error!(%error, "not writing"),
                    _ => tracing::warn!(%error, state = state.as_str(), "no link to the database"),
                }
            }
        }
        pause
    }
}

/// What is remembered from one connection to the next.
#[derive(Debug, Default)]
struct Memory {
    /// Tables that did not take their rows.
    deferred: BTreeMap<&'static str, DeferredTable>,
    /// What fails beside the samples.
    troubles: Troubles,
    /// By how much the host's clock is ahead of the server's, microseconds.
    clock_ahead: i64,
    /// Why the last connection was lost, unless something was delivered since.
    lost: Option<String>,
    /// Rows from memory that a transaction of unknown outcome may have stored: `seq` after it, and their
    /// numbers.
    in_doubt: Option<(i64, Vec<u64>)>,
}
