//! Drains the spool into the database, exactly once.
//!
//! One task owns the one connection. It connects (with growing, jittered pauses), takes the host's
//! lease, reads from the database how far the spool is delivered, and then delivers the records
//! of the spool: one transaction is a COPY per table and the new [`progress`](crate::progress) by
//! compare-and-set. The local files do not decide what was sent.
//!
//! Failures and their handling:
//!
//! * *The link breaks or a time-out passes*: the outcome may be unknown, so the connection is
//!   dropped (after a cancel request) and the progress is read again before anything is sent.
//! * *A table is locked, missing or forbidden*: the others are stored without it, and its rows of these
//!   records are deferred: tried again with growing pauses.
//! * *The server refuses the content of rows*: they are tried in halves until the bad row is alone;
//!   it goes to `dead_letter`, its neighbours are stored in the same transaction.
//! * *No partition takes the rows of a table*: the rows are valid. The partitions are read
//!   again and made, and the transaction is tried once more.
//! * *The spool's disk refuses writes*: rows in memory are delivered from there (see
//!   [`queue`](crate::queue)). Such rows have no number in the spool, so whether a transaction of unknown
//!   outcome stored them follows from `seq` in the database, which each transaction moves by one.
//! * *The spool cannot be read or tidied up*: the readable rest is delivered, and it is tried again.
//! * *A session makes no progress* (the database's disk is full, a right was revoked): the pauses go on
//!   growing until a transaction is committed; that there was a connection proves nothing.
//! * *Another agent has the host's lease*: this one waits and samples nothing (`lease.rs`).
//! * *The server has no room for the session*: other sessions of this host give way, and it is tried again.
//! * *The schema is newer*: nothing is written, unless it says that it is compatible; the spool keeps records within its budget.
//! * *The queue has rows of a table that this version does not know*: they go to `dead_letter`, from where one that does stores them
//!   (`reclaim.rs`).
//! * *The spool is an older copy of itself, or the database an older one*: the spool gives colliding
//!   records new numbers; records that neither of them has are a gap.

pub(crate) mod batch;
pub(crate) mod copy;
mod deferred;
mod ending;
mod findings;
mod insert;
mod lease;
mod link;
mod reclaim;
mod session;
mod transaction;
pub(crate) mod upkeep;

use crate::crowding::Purpose;
use crate::expiry::Retention;
use crate::queue::Queue;
use crate::status::{Link as LinkState, SharedStatus};
use deferred::DeferredTable;
use ending::Ending;
use link::{Link, LinkError};
use schema::Timestamp;
use session::Session;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use upkeep::Troubles;
use uuid::Uuid;

/// Rows this much older than the newest stored ones count as a change of history.
const LATE: i64 = 60 * 1_000_000;
/// Pause before asking again for a host that another agent holds.
const HELD_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause while no server answers: such an attempt costs nobody anything, and a server that is back is noticed soon.
const ABSENT_PAUSE: Duration = Duration::from_secs(3);
/// Time in which a stopping writer may deliver waiting records.
const FINAL_FLUSH: Duration = Duration::from_secs(2);

/// The machine, as stored in `collector.hosts`.
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

/// This run of the agent, as stored in `collector.agent_runs`.
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
    /// Returns the settings in force.
    fn settings(&self) -> String {
        self.settings.borrow().clone()
    }
}

/// Settings that can be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// Deadline of one transaction; the session's own limits are shorter.
    pub deadline: Duration,
    /// Records of the spool that one transaction takes at most, live and backlog each.
    pub batch_records: usize,
    /// Pause between heartbeats.
    pub heartbeat: Duration,
    /// Retention of this host.
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
    /// Settings that can change.
    pub options: watch::Receiver<WriterOptions>,
    /// State and counters, shared with readers.
    pub status: SharedStatus,
    /// Turns true when another agent works and this one must not sample.
    pub standby: watch::Sender<bool>,
    /// Turns true when it is time to stop.
    pub stop: watch::Receiver<bool>,
    /// The clock.
    pub clock: Clock,
}

/// Returns a random number from 0 to 1, so that many agents do not reconnect in step.
#[must_use]
pub fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

/// Formats the server's message, or the failure of the link; never a secret.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => pg::causes(error),
    }
}

/// Why a table is deferred when even its new partitions do not take its rows.
const NO_PARTITION: &str = "no partition takes its rows";

/// Obstacle to storing a batch.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    /// The server refuses the content of rows of this table.
    Content(&'static str),
    /// No partition takes the rows of this table.
    NoPartition(&'static str),
    /// This table takes no rows now.
    Table(&'static str),
    /// The heartbeat that went along was refused.
    Heartbeat,
}

/// Why a session ended.
enum End {
    Stopped,
    Broken(String),
    /// Open a new connection at once: the progress has moved, or a table that did not take its rows left this
    /// connection unusable.
    Renew,
}

impl Writer {
    /// Delivers until it is stopped, and notes the end.
    pub async fn run(mut self) {
        let last_end = self
            .queue
            .with_spool(|spool| ending::read(spool.path()))
            .await;
        self.deliver(Memory {
            last_end,
            ..Memory::default()
        })
        .await;
        let ending = Ending {
            run: self.agent.run_id,
            at: (self.clock)(),
        };
        let noted = self
            .queue
            .with_spool(move |spool| ending::note(spool.path(), ending));
        if let Err(error) = noted.await {
            tracing::debug!(%error, "the end of the run was not noted in the queue");
        }
    }

    /// Delivers until it is stopped.
    async fn deliver(&mut self, mut memory: Memory) {
        let mut backoff = pg::Backoff::default();
        loop {
            let pause = match self.open(memory.last_end).await {
                Ok(link) => {
                    self.standby.send_replace(false);
                    memory.refusals = 0;
                    self.status.note_room(Purpose::Delivery, None);
                    let is_news = self.status.link(LinkState::Connected, None);
                    if is_news && memory.lost.is_none() {
                        tracing::info!(host_id = link.host_id, "connected; delivering");
                    }
                    let mut session = Session::new(self, &mut memory, link);
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
                    .refused(&error, &mut memory, &mut backoff)
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

    /// Opens a link, unless the writer is stopped.
    async fn open(&mut self, last_end: Option<Ending>) -> Result<Link, LinkError> {
        self.status.update(|status| status.connections += 1);
        let open = link::open(
            &self.target,
            &self.session,
            &self.host,
            &self.agent,
            last_end,
            self.clock,
        );
        tokio::select! {
            link = open => link,
            _ = self.stop.changed() => Err(LinkError::Stopped),
        }
    }

    /// Reports why there is no link; returns the pause where it is not that of a broken one.
    fn refused(
        &self,
        error: &LinkError,
        memory: &mut Memory,
        backoff: &mut pg::Backoff,
    ) -> Option<Duration> {
        let (state, pause) = match error {
            LinkError::Connect(error) if is_absent(error) => (
                LinkState::Connecting,
                Some(
                    backoff
                        .next(jitter())
                        .min(ABSENT_PAUSE.mul_f64(0.5 + 0.5 * jitter())),
                ),
            ),
            LinkError::Connect(_) | LinkError::Statement { .. } | LinkError::Stopped => {
                (LinkState::Connecting, None)
            }
            LinkError::Held { .. } => (LinkState::Waiting, Some(HELD_PAUSE)),
            LinkError::Schema(_) | LinkError::Progress { .. } => (LinkState::Refused, None),
        };
        let may_be_ours = if let LinkError::Held { is_same_queue, .. } = error {
            memory.refusals += 1;
            *is_same_queue && HELD_PAUSE * memory.refusals <= lease::LEASE + HELD_PAUSE
        } else {
            false
        };
        let crowded = match error {
            LinkError::Connect(error) if error.is_crowded() => Some(error.to_string()),
            _ => None,
        };
        self.status.note_room(Purpose::Delivery, crowded);
        if !*self.stop.borrow() {
            // After a crash of the machine the lease of the run before ends by itself; until then samples are queued.
            self.standby
                .send_replace(state == LinkState::Waiting && !may_be_ours);
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

/// Returns whether nobody answers there, or a server that is just starting or stopping. One that has no room for a session is not
/// absent: each attempt costs it a process.
fn is_absent(error: &pg::PgError) -> bool {
    let pg::PgError::Connect { source, .. } = error else {
        return false;
    };
    match source.code() {
        None => true,
        Some(code) => code.code().starts_with("57P"),
    }
}

/// State that outlives a connection.
#[derive(Debug, Default)]
struct Memory {
    /// Tables that did not take their rows.
    deferred: BTreeMap<&'static str, DeferredTable>,
    /// Failures other than of samples.
    troubles: Troubles,
    /// By how much the host's clock is ahead of the server's, microseconds.
    clock_ahead: i64,
    /// Why the last connection was lost, unless something was delivered since.
    lost: Option<String>,
    /// Rows from memory that a transaction of unknown outcome may have stored: `seq` after it, and their
    /// numbers.
    in_doubt: Option<(i64, Vec<u64>)>,
    /// How often the host's lease was another agent's since the last connection that delivers.
    refusals: u32,
    /// Storing rows that an earlier version could not ended a connection: not again in this run, or it would end each.
    gave_up_reclaiming: bool,
    /// How the last run ended, if in order.
    last_end: Option<Ending>,
}
