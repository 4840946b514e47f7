//! A session: delivers waiting records, transaction by transaction, until the connection or the program ends.

use super::batch::{Around, Batch, Lanes};
use super::copy::Statements;
use super::lease::RENEW_AFTER;
use super::link::Link;
use super::reclaim::reclaim;
use super::transaction::{self, Mark, Stop, Stored};
use super::{End, FINAL_FLUSH, LATE, Memory, NO_PARTITION, Obstacle, Writer, describe};
use crate::expiry::Retention;
use crate::partitions::Partitions;
use crate::processes::{self, KnownIdentities};
use crate::progress::Progress;
use crate::spool::SpoolError;
use schema::tables::ProcessIdentity;
use schema::{AgentOutcome, Class, Sample, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A session on one connection.
pub(super) struct Session<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) memory: &'a mut Memory,
    pub(super) link: Link,
    pub(super) statements: Statements,
    pub(super) lanes: Lanes,
    pub(super) partitions: Partitions,
    /// Identities of processes that the database has.
    pub(super) identities: KnownIdentities,
    /// The newest sample that the database had when the session began.
    pub(super) stored: Option<Timestamp>,
    /// Retention of this host as stored, and whether its clock agreed.
    pub(super) reported: Option<(Retention, bool)>,
    /// When to report them again after a failure.
    pub(super) report_after: Instant,
    /// Whether it made progress: a transaction was committed, or a table was found that the next session
    /// will defer.
    pub(super) achieved: bool,
    pub(super) next_heartbeat: Instant,
    pub(super) next_upkeep: Instant,
    /// When to ask again which limit of connections is reached.
    pub(super) limit_after: Instant,
    /// When a heartbeat prolongs the host's lease, unless a delivery does before.
    pub(super) renew_at: Instant,
    /// How long this machine waits after something was queued, so that not all hosts deliver at once.
    pub(super) offset: Duration,
    /// Whether the last plan had no trouble with the queue; not so before the first.
    pub(super) queue_works: bool,
    /// Whether there may be rows that an earlier version could not store.
    pub(super) reclaims: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(writer: &'a mut Writer, memory: &'a mut Memory, link: Link) -> Self {
        let now = Instant::now();
        Self {
            reclaims: !memory.gave_up_reclaiming,
            writer,
            memory,
            statements: Statements::default(),
            lanes: Lanes::default(),
            partitions: Partitions::new(link.clocks.0, link.clocks.1.1),
            identities: KnownIdentities::default(),
            stored: link.last_ts,
            reported: None,
            report_after: now,
            achieved: false,
            next_heartbeat: now,
            next_upkeep: now,
            limit_after: now,
            renew_at: now + RENEW_AFTER,
            offset: Duration::ZERO,
            queue_works: false,
            link,
        }
    }

    pub(super) async fn serve(&mut self) -> End {
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
        self.resolve_in_doubt().await;
        self.prepare().await?;
        loop {
            if self.link.session.is_closed() {
                return Err(End::Broken("the server closed the connection".to_owned()));
            }
            if Instant::now() >= self.next_upkeep {
                self.upkeep().await?;
            }
            while self.deliver().await? {
                self.heartbeat().await?;
                if *self.writer.stop.borrow() {
                    break;
                }
            }
            self.retry_deferred().await?;
            self.heartbeat().await?;
            if *self.writer.stop.borrow() {
                self.final_flush().await;
                return Ok(());
            }
            if self.make_ahead().await? || self.reclaim().await? {
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
                () = self.writer.queue.grown() => {
                    tokio::select! {
                        () = sleep(self.offset) => {}
                        _ = self.writer.stop.changed() => {}
                    }
                }
                () = sleep_until(wake) => {}
                // The retention may have changed; the next heartbeat would notice, too.
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

    /// Stores some rows that an earlier version could not, between deliveries; returns whether there may be more. When that fails,
    /// they stay where they are, and all else goes on.
    async fn reclaim(&mut self) -> Result<bool, End> {
        if !self.reclaims {
            return Ok(false);
        }
        let (client, host_id) = (&self.link.session.client, self.link.host_id);
        let reclaimed = reclaim(client, &mut self.statements, host_id);
        let deadline = self.writer.options.borrow().deadline;
        match timeout(deadline, reclaimed).await {
            Ok(Ok(Some(rows))) => {
                if rows > 0 {
                    tracing::info!(
                        rows,
                        "stored rows of tables that an earlier version did not know"
                    );
                }
                Ok(true)
            }
            Ok(Ok(None)) => {
                self.reclaims = false;
                Ok(false)
            }
            Ok(Err(failed)) if !failed.desynced => {
                let error = describe(&failed.error);
                tracing::warn!(%error, "rows of tables that an earlier version did not know stay in dead_letter");
                self.reclaims = false;
                Ok(false)
            }
            ended => {
                self.memory.gave_up_reclaiming = true;
                Err(match ended {
                    Ok(Err(failed)) => End::Broken(describe(&failed.error)),
                    _ => self.give_up(deadline).await,
                })
            }
        }
    }

    /// Ends a session whose transaction has no answer in time. A client's time-out is not a rollback: cancel, drop the connection, read the
    /// progress again.
    async fn give_up(&self, deadline: Duration) -> End {
        if let Err(error) = self.link.session.cancel().await {
            tracing::debug!(%error, "could not cancel");
        }
        End::Broken(format!("no answer within {} s", deadline.as_secs()))
    }

    /// Compares spool and database once, and splits the waiting records into backlog and live ones.
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

    /// Delivers one transaction; returns whether there is more.
    async fn deliver(&mut self) -> Result<bool, End> {
        let Some(batch) = self.next_batch().await? else {
            return Ok(false);
        };
        let mut skip: BTreeSet<&'static str> = self.memory.deferred.keys().copied().collect();
        let (mut bisected, mut retried) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let progress = self.progress_after(&batch, &skip);
            match self.attempt(&batch, progress, &skip, &bisected).await? {
                None => return Ok(batch.more),
                Some(Obstacle::Content(table)) if bisected.insert(table) => {}
                Some(Obstacle::NoPartition(table)) if retried.insert(table) => {
                    self.reload_partitions(table, &batch).await?;
                }
                Some(Obstacle::NoPartition(table)) => {
                    self.defer(table, NO_PARTITION);
                    skip.insert(table);
                }
                Some(Obstacle::Content(table) | Obstacle::Table(table)) => {
                    skip.insert(table);
                }
                // It is noted, so that the next attempt goes without it.
                Some(Obstacle::Heartbeat) => {}
            }
        }
    }

    /// Chooses the next batch from spool and memory, and makes the partitions that it needs; `None` when nothing
    /// waits.
    async fn next_batch(&mut self) -> Result<Option<Batch>, End> {
        if self.queue_works && self.writer.queue.is_idle().await {
            return Ok(None);
        }
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
            return Ok(None);
        }
        batch.add_identities(&self.identities);
        self.ensure_partitions(&batch).await?;
        if batch.superseded > 0 {
            tracing::info!(
                records = batch.superseded,
                "left out: another collector wrote for this host at that time"
            );
        }
        Ok(Some(batch))
    }

    /// Returns the progress once a batch is stored without the tables of `skip`, whose rows are deferred.
    fn progress_after(&self, batch: &Batch, skip: &BTreeSet<&'static str>) -> Progress {
        let mut progress = self.link.progress.clone();
        for (class, covered) in &batch.covered {
            let class = progress.class(*class);
            class.delivered = class.delivered.union(covered);
        }
        for (class, records) in batch.held_records(skip) {
            progress.class(class).from_memory += records;
        }
        for entry in batch
            .tables
            .iter()
            .filter(|entry| skip.contains(entry.table.name))
        {
            for (class, records) in &entry.records {
                progress.class(*class).defer(entry.table.name, records);
            }
        }
        progress
    }

    /// Returns the known instants around missing records.
    pub(super) fn around(&self) -> Around {
        Around {
            stored: self.stored,
            now: (self.writer.clock)(),
        }
    }

    /// Reads the partitions of a table again, and makes those that a batch needs.
    pub(super) async fn reload_partitions(
        &mut self,
        table: &'static str,
        batch: &Batch,
    ) -> Result<(), End> {
        tracing::info!(
            table,
            "no partition takes its rows; looking for its partitions again"
        );
        self.partitions.forget(table);
        self.ensure_partitions(batch).await
    }

    /// Finds out whether rows from memory were stored when the last connection was lost.
    async fn resolve_in_doubt(&mut self) {
        let stored = match self.memory.in_doubt.take() {
            Some((seq, held)) if self.link.seq >= seq => held,
            _ => Vec::new(),
        };
        self.writer.queue.settle_held(&stored).await;
    }

    /// Attempts to store a batch. Returns the obstacle if it was not stored.
    pub(super) async fn attempt(
        &mut self,
        batch: &Batch,
        progress: Progress,
        skip: &BTreeSet<&'static str>,
        bisected: &BTreeSet<&'static str>,
    ) -> Result<Option<Obstacle>, End> {
        let mark = self.mark(batch, &progress).await?;
        let held = batch.held_but(skip);
        self.memory.in_doubt = (!held.is_empty()).then(|| (self.link.seq + 1, held.clone()));
        let client = &self.link.session.client;
        let run = transaction::run(client, &mut self.statements, batch, &mark, skip, bisected);
        let deadline = self.writer.options.borrow().deadline;
        let stored = match timeout(deadline, run).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(stop)) => return self.obstacle(stop).await.map(Some),
            Err(_) => return Err(self.give_up(deadline).await),
        };
        self.memory.in_doubt = None;
        self.writer.queue.settle_held(&held).await;
        self.achieved = true;
        if let Some(pulse) = stored.heartbeat {
            self.note_heartbeat(Ok(pulse))?;
        }
        self.committed(batch, progress, skip, &stored).await;
        Ok(None)
    }

    /// Returns the mark of the transaction that stores a batch and moves the progress.
    async fn mark(&mut self, batch: &Batch, progress: &Progress) -> Result<Mark, End> {
        let encoded =
            serde_json::to_string(progress).map_err(|error| End::Broken(error.to_string()))?;
        let late = batch
            .oldest
            .zip(self.link.last_ts)
            .is_some_and(|(old, last)| old.0 < last.0 - LATE);
        Ok(Mark {
            host_id: self.link.host_id,
            writer: self.writer.agent.writer,
            run: self.writer.agent.run_id,
            seq: self.link.seq,
            progress: encoded,
            late,
            before: self.link.last_ts,
            now: Timestamp((self.writer.clock)().as_micros() - self.memory.clock_ahead),
            heartbeat: self.heartbeat_due().await?,
            clock: self.writer.clock,
        })
    }

    /// Rolls back a transaction that was not committed, and returns the obstacle; ends the session where it cannot
    /// go on.
    async fn obstacle(&mut self, stop: Stop) -> Result<Obstacle, End> {
        match stop {
            Stop::Table {
                table,
                class,
                error,
                desynced,
            } => {
                if desynced || class != pg::Class::Poison {
                    self.defer(table, &describe(&error));
                }
                if desynced {
                    self.achieved = true;
                    return Err(End::Renew);
                }
                self.roll_back().await?;
                Ok(match class {
                    pg::Class::Poison => Obstacle::Content(table),
                    _ => Obstacle::Table(table),
                })
            }
            Stop::Heartbeat(error) => {
                self.roll_back().await?;
                self.note_heartbeat(Err(error))?;
                Ok(Obstacle::Heartbeat)
            }
            Stop::NoPartition { table } => {
                self.roll_back().await?;
                Ok(Obstacle::NoPartition(table))
            }
            Stop::Fenced => {
                // The progress was not moved by this transaction.
                self.memory.in_doubt = None;
                tracing::info!("the spool's progress moved elsewhere; reading it again");
                Err(End::Renew)
            }
            Stop::Link(error) => Err(End::Broken(error)),
        }
    }

    /// Takes over the state after a committed transaction.
    async fn committed(
        &mut self,
        batch: &Batch,
        progress: Progress,
        skip: &BTreeSet<&'static str>,
        stored: &Stored,
    ) {
        if self.memory.lost.take().is_some() {
            tracing::info!("delivering again");
        }
        self.link.seq += 1;
        self.renew_at = Instant::now() + RENEW_AFTER;
        self.link.progress = progress;
        self.link.last_ts = self.link.last_ts.max(batch.newest);
        self.writer.status.update(|status| {
            status.commits += 1;
            status.rows_written += stored.rows;
            status.dead_letters += stored.dead_letters;
            status.lost_records += stored.lost_records;
            for gap in &batch.gaps {
                *status
                    .lost_by_reason
                    .entry(gap.reason.to_string())
                    .or_default() += gap.records;
            }
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
    }

    async fn roll_back(&mut self) -> Result<(), End> {
        let rolled_back = self.link.session.client.batch_execute("ROLLBACK").await;
        rolled_back.map_err(|error| End::Broken(describe(&error)))?;
        self.memory.in_doubt = None;
        Ok(())
    }

    /// Delivers the rest before the end, as far as there is time.
    async fn final_flush(&mut self) {
        // One more plan, which removes the files of what is delivered.
        self.queue_works = false;
        let deliver = async { while let Ok(true) = self.deliver().await {} };
        if timeout(FINAL_FLUSH, deliver).await.is_err() {
            tracing::info!("undelivered records stay in the spool for the next start");
        }
    }

    /// Stores the end of this run, and gives the host's lease back.
    async fn end_run(&mut self) {
        let ended = self
            .link
            .session
            .client
            .execute(
                "WITH given_back AS ( \
                     UPDATE collector.spool_watermark SET lease_until = NULL \
                     WHERE host_id = $1 AND lease_run = $2::text::uuid) \
                 UPDATE collector.agent_runs SET outcome = $4, ended_at = $3 \
                 WHERE host_id = $1 AND run_id = $2::text::uuid",
                &[
                    &self.link.host_id,
                    &self.writer.agent.run_id.to_string(),
                    &crate::series::Instant((self.writer.clock)()),
                    &AgentOutcome::Stopped.as_str(),
                ],
            )
            .await;
        if let Err(error) = ended {
            tracing::debug!(error = describe(&error), "the end of the run was not noted");
        }
    }
}
