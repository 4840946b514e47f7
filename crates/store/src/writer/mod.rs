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

mod batch;
pub(crate) mod copy;
mod deferred;
mod insert;
mod link;
mod transaction;
pub(crate) mod upkeep;

use crate::expiry::{Expiring, Retention};
use crate::partitions::Partitions;
use crate::processes::{self, KnownIdentities};
use crate::progress::Progress;
use crate::queue::Queue;
use crate::spool::SpoolError;
use crate::status::{Link as LinkState, SharedStatus};
use batch::{Around, Batch, Lanes};
use copy::Statements;
use deferred::DeferredTable;
use link::{Link, LinkError};
use schema::tables::ProcessIdentity;
use schema::{Class, Sample, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use transaction::{Mark, Stop};
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

/// One connection's life.
struct Session<'a> {
    writer: &'a mut Writer,
    memory: &'a mut Memory,
    link: Link,
    statements: Statements,
    lanes: Lanes,
    partitions: Partitions,
    /// Identities of processes that the database has.
    identities: KnownIdentities,
    /// Tables in which expired rows are still to be looked for, and where in the default partition.
    expiring: VecDeque<Expiring>,
    expiring_block: i64,
    /// The newest sample that the database had when the session began.
    stored: Option<Timestamp>,
    /// What was stored of what this host asks for, and of its clock.
    reported: Option<(Retention, bool)>,
    /// After a failure that is tried again then.
    report_after: Instant,
    /// Whether it achieved something: a transaction was committed, or a table was found out that will
    /// not stand in the way of the next session.
    achieved: bool,
    next_heartbeat: Instant,
    next_upkeep: Instant,
}

impl<'a> Session<'a> {
    fn new(writer: &'a mut Writer, memory: &'a mut Memory, link: Link) -> Self {
        let now = Instant::now();
        Self {
            writer,
            memory,
            statements: Statements::default(),
            lanes: Lanes::default(),
            partitions: Partitions::new(link.clocks.0, link.clocks.1),
            identities: KnownIdentities::default(),
            expiring: VecDeque::new(),
            expiring_block: 0,
            stored: link.last_ts,
            reported: None,
            report_after: now,
            achieved: false,
            next_heartbeat: now,
            next_upkeep: now,
            link,
        }
    }

    async fn serve(&mut self) -> End {
        match self.work().await {
            Ok(()) => {
                self.end_run().await;
                End::Stopped
            }
            Err(end) => end,
        }
    }

    async fn work(&mut self) -> Result<(), End> {
        for (table, deferred) in &self.memory.deferred {
            self.report_deferred(table, &deferred.error);
        }
        let (server, ours) = self.link.clocks;
        self.compare_clocks(server, ours);
        self.settle_doubt().await;
        self.prepare().await?;
        loop {
            if self.link.session.is_closed() {
                return Err(End::Broken("the server closed the connection".to_owned()));
            }
            if Instant::now() >= self.next_upkeep {
                self.upkeep().await?;
            }
            while self.deliver().await? {
                self.beat().await?;
                if *self.writer.stop.borrow() {
                    break;
                }
            }
            self.retry_deferred().await?;
            self.beat().await?;
            if *self.writer.stop.borrow() {
                self.final_flush().await;
                return Ok(());
            }
            if self.make_ahead().await? || self.expire().await? {
                continue;
            }
            let wake = self
                .memory
                .deferred
                .values()
                .map(|deferred| deferred.again)
                .chain([self.next_heartbeat, self.next_upkeep])
                .min();
            let wake = wake.unwrap_or(self.next_upkeep);
            tokio::select! {
                () = self.writer.queue.grown() => {}
                () = sleep_until(wake) => {}
                // What is to be kept may have changed; the next heartbeat would notice, too.
                changed = self.writer.options.changed() => {
                    if changed.is_ok() {
                        self.next_heartbeat = Instant::now();
                    }
                }
                changed = self.writer.agent.settings.changed() => {
                    if changed.is_ok() {
                        self.store_settings().await?;
                    }
                }
                _ = self.writer.stop.changed() => {}
            }
        }
    }

    /// Compares spool and database once, and splits what waits into backlog and live.
    async fn prepare(&mut self) -> Result<(), End> {
        let progress = self.link.progress.clone();
        let covered = self.link.covered.clone();
        let lanes = self
            .writer
            .queue
            .with_spool(move |spool| {
                for class in Class::ALL {
                    let renumbered = spool.resume(class, &progress.of(class).delivered)?;
                    if renumbered > 0 {
                        tracing::warn!(
                            class = class.as_str(),
                            renumbered,
                            "the queue directory is an older copy of itself; its records got new numbers"
                        );
                    }
                }
                let mut lanes = Lanes::split(spool, &progress);
                lanes.covered = covered;
                Ok::<_, SpoolError>(lanes)
            })
            .await;
        self.lanes = lanes.map_err(|error| End::Broken(error.to_string()))?;
        self.writer.queue.remember(self.link.progress.clone()).await;
        Ok(())
    }

    /// Delivers one transaction's worth; whether there is more.
    async fn deliver(&mut self) -> Result<bool, End> {
        let (progress, mut lanes) = (self.link.progress.clone(), self.lanes.clone());
        lanes.records = self.writer.options.borrow().batch_records;
        let around = self.around();
        let mut batch = self
            .writer
            .queue
            .with_spool(move |spool| Batch::plan(spool, &progress, &lanes, &around))
            .await;
        self.note_queue(batch.trouble.take());
        let deferred = &self.memory.deferred;
        let held = self
            .writer
            .queue
            .lease(|table| !deferred.contains_key(processes::stored_in(table).name));
        batch.add_held(held.await);
        if batch.is_empty() {
            return Ok(false);
        }
        batch.add_identities(&self.identities);
        self.ensure_partitions(&batch).await?;
        if batch.superseded > 0 {
            tracing::info!(
                records = batch.superseded,
                "left out: another collector wrote for this host at that time"
            );
        }
        let mut skip: BTreeSet<&'static str> = self.memory.deferred.keys().copied().collect();
        let (mut suspects, mut rehoused) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let mut progress = self.link.progress.clone();
            for (class, covered) in &batch.covered {
                let class = progress.class(*class);
                class.delivered = class.delivered.union(covered);
            }
            for (class, records) in batch.held_records(&skip) {
                progress.class(class).from_memory += records;
            }
            for entry in batch
                .tables
                .iter()
                .filter(|entry| skip.contains(entry.table.name))
            {
                for (class, records) in &entry.records {
                    progress.class(*class).owe(entry.table.name, records);
                }
            }
            match self.attempt(&batch, progress, &skip, &suspects).await? {
                None => return Ok(batch.more),
                Some(Obstacle::Content(table)) if suspects.insert(table) => {}
                Some(Obstacle::Homeless(table)) if rehoused.insert(table) => {
                    self.rehouse(table, &batch).await?;
                }
                Some(Obstacle::Homeless(table)) => {
                    self.defer(table, NO_PARTITION);
                    skip.insert(table);
                }
                Some(Obstacle::Content(table) | Obstacle::Table(table)) => {
                    skip.insert(table);
                }
                // It is noted, so that the next try goes without.
                Some(Obstacle::Heartbeat) => {}
            }
        }
    }

    /// What is known of the time around records that are missing.
    fn around(&self) -> Around {
        Around {
            stored: self.stored,
            now: (self.writer.clock)(),
        }
    }

    /// Looks for the partitions of a table again, and makes what a batch needs.
    async fn rehouse(&mut self, table: &'static str, batch: &Batch) -> Result<(), End> {
        tracing::info!(
            table,
            "no partition takes its rows; looking for its partitions again"
        );
        self.partitions.forget(table);
        self.ensure_partitions(batch).await
    }

    /// Finds out what became of rows from memory when the last connection was lost.
    async fn settle_doubt(&mut self) {
        let stored = match self.memory.in_doubt.take() {
            Some((seq, held)) if self.link.seq >= seq => held,
            _ => Vec::new(),
        };
        self.writer.queue.settle_held(&stored).await;
    }

    /// One try of a batch. Gives what stood in the way.
    async fn attempt(
        &mut self,
        batch: &Batch,
        progress: Progress,
        skip: &BTreeSet<&'static str>,
        suspects: &BTreeSet<&'static str>,
    ) -> Result<Option<Obstacle>, End> {
        let encoded =
            serde_json::to_string(&progress).map_err(|error| End::Broken(error.to_string()))?;
        let late = batch
            .oldest
            .zip(self.link.last_ts)
            .is_some_and(|(old, last)| old.0 < last.0 - LATE);
        let mark = Mark {
            host_id: self.link.host_id,
            writer: self.writer.agent.writer,
            seq: self.link.seq,
            progress: encoded,
            late,
            heartbeat: self.heartbeat_due().await?,
        };
        let held = batch.held_but(skip);
        self.memory.in_doubt = (!held.is_empty()).then(|| (self.link.seq + 1, held.clone()));
        let client = &self.link.session.client;
        let run = transaction::run(client, &mut self.statements, batch, &mark, skip, suspects);
        let deadline = self.writer.options.borrow().deadline;
        let stored = match timeout(deadline, run).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(Stop::Table {
                table,
                class,
                error,
                desynced,
            })) => {
                if desynced || class != pg::Class::Poison {
                    self.defer(table, &describe(&error));
                }
                if desynced {
                    self.achieved = true;
                    return Err(End::Renew);
                }
                self.roll_back().await?;
                return Ok(Some(match class {
                    pg::Class::Poison => Obstacle::Content(table),
                    _ => Obstacle::Table(table),
                }));
            }
            Ok(Err(Stop::Heartbeat(error))) => {
                self.roll_back().await?;
                self.note_heartbeat(mark.heartbeat, Err(error))?;
                return Ok(Some(Obstacle::Heartbeat));
            }
            Ok(Err(Stop::Homeless { table })) => {
                self.roll_back().await?;
                return Ok(Some(Obstacle::Homeless(table)));
            }
            Ok(Err(Stop::Fenced)) => {
                // Whoever moved the progress, it was not this transaction.
                self.memory.in_doubt = None;
                tracing::info!("the spool's progress moved elsewhere; reading it again");
                return Err(End::Renew);
            }
            Ok(Err(Stop::Link(error))) => return Err(End::Broken(error)),
            Err(_) => {
                // A client's time-out is no rollback: cancel, drop the connection, ask again.
                if let Err(error) = self.link.session.cancel().await {
                    tracing::debug!(%error, "could not cancel");
                }
                return Err(End::Broken(format!(
                    "no answer within {} s",
                    deadline.as_secs()
                )));
            }
        };
        self.memory.in_doubt = None;
        self.writer.queue.settle_held(&held).await;
        self.achieved = true;
        if let Some(clock) = stored.server_clock {
            self.note_heartbeat(mark.heartbeat, Ok(clock))?;
        }
        if self.memory.lost.take().is_some() {
            tracing::info!("delivering again");
        }
        self.link.seq += 1;
        self.link.progress = progress;
        self.link.last_ts = self.link.last_ts.max(batch.newest);
        self.writer.status.update(|status| {
            status.commits += 1;
            status.rows_written += stored.rows;
            status.dead_letters += stored.dead_letters;
            status.lost_records += stored.lost_records;
        });
        if !skip.contains(ProcessIdentity::TABLE.name) {
            self.identities.add(batch.identity_keys.iter().copied());
        }
        let settled = batch
            .tables
            .iter()
            .filter(|entry| !skip.contains(entry.table.name));
        self.writer.queue.settle(settled.filter_map(|entry| {
            let rows = entry.groups.iter().map(|group| u64::from(group.rows)).sum();
            Some((processes::queued_as(entry.table)?.to_owned(), rows))
        }));
        self.writer.queue.remember(self.link.progress.clone()).await;
        Ok(None)
    }

    async fn roll_back(&mut self) -> Result<(), End> {
        let rolled_back = self.link.session.client.batch_execute("ROLLBACK").await;
        rolled_back.map_err(|error| End::Broken(describe(&error)))?;
        self.memory.in_doubt = None;
        Ok(())
    }

    /// What the last tick left is delivered before the end, as far as there is time.
    async fn final_flush(&mut self) {
        let deliver = async { while let Ok(true) = self.deliver().await {} };
        if timeout(FINAL_FLUSH, deliver).await.is_err() {
            tracing::info!("what is not delivered stays in the spool for the next start");
        }
    }

    async fn end_run(&mut self) {
        let ended = self
            .link
            .session
            .client
            .execute(
                "UPDATE collector.agent_runs SET outcome = 'stopped', \
             ended_at = $3 \
             WHERE host_id = $1 AND run_id = $2::text::uuid",
                &[
                    &self.link.host_id,
                    &self.writer.agent.run_id.to_string(),
                    &crate::series::Instant((self.writer.clock)()),
                ],
            )
            .await;
        if let Err(error) = ended {
            tracing::debug!(error = describe(&error), "the end of the run was not noted");
        }
    }
}
