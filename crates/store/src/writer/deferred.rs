//! Deferred tables: those that did not take their rows. They are remembered over connections and tried again with
//! growing pauses; their rows are delivered from the spool once they take them.

use super::batch::Batch;
use super::{End, NO_PARTITION, Obstacle, Session, describe, transaction};
use schema::tables::ProcessIdentity;
use schema::{Sample, TABLES, TableDef};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// First pause before a deferred table is tried again; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// Longest pause before a deferred table is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A table that did not take its rows.
#[derive(Debug)]
pub(super) struct DeferredTable {
    pub(super) again: Instant,
    pause: Duration,
    pub(super) error: String,
}

impl Session<'_> {
    /// Defers the rows of a table, and logs it the first time.
    pub(super) fn defer(&mut self, table: &'static str, error: &str) {
        let known = self.memory.deferred.get(table);
        let pause = known.map_or(FIRST_PAUSE, |known| (known.pause * 2).min(LONGEST_PAUSE));
        let deferred = DeferredTable {
            again: Instant::now() + pause,
            pause,
            error: error.to_owned(),
        };
        if self.memory.deferred.insert(table, deferred).is_none() {
            tracing::warn!(
                table,
                error,
                "a table does not take its rows; the others go on, it is tried again"
            );
        }
        self.report_deferred(table, error);
    }

    /// Shows in the status why a table is deferred.
    pub(super) fn report_deferred(&self, table: &str, error: &str) {
        self.writer
            .status
            .update(|status| status.error = Some(format!("{table}: {error}")));
    }

    /// Offers tables the rows that were deferred.
    pub(super) async fn retry_deferred(&mut self) -> Result<(), End> {
        for table in TABLES {
            if !self.link.progress.is_deferred(table.name) {
                if self.memory.deferred.remove(table.name).is_some() {
                    self.recovered(table);
                }
                continue;
            }
            while self
                .memory
                .deferred
                .get(table.name)
                .is_none_or(|deferred| Instant::now() >= deferred.again)
            {
                if !self.retry(table).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Delivers one transaction of a table's deferred rows; returns whether there are more.
    async fn retry(&mut self, table: &'static TableDef) -> Result<bool, End> {
        let Some(batch) = self.next_deferred(table).await? else {
            return Ok(false);
        };
        let mut completed = self.link.progress.clone();
        for (class, covered) in &batch.covered {
            completed.class(*class).complete(table.name, covered);
        }
        let (mut bisected, mut is_retried) = (BTreeSet::new(), false);
        loop {
            match self
                .attempt(&batch, completed.clone(), &BTreeSet::new(), &bisected)
                .await?
            {
                None => {
                    let is_deferred = completed.is_deferred(table.name);
                    if !is_deferred && self.memory.deferred.remove(table.name).is_some() {
                        self.recovered(table);
                    }
                    return Ok(is_deferred);
                }
                Some(Obstacle::Content(name)) if bisected.insert(name) => {}
                Some(Obstacle::NoPartition(name)) if !is_retried => {
                    is_retried = true;
                    self.reload_partitions(name, &batch).await?;
                }
                Some(Obstacle::NoPartition(name)) => {
                    self.defer(name, NO_PARTITION);
                    return Ok(false);
                }
                Some(Obstacle::Heartbeat) => {}
                Some(_) => return Ok(false),
            }
        }
    }

    /// Chooses deferred rows of a table for one transaction; `None` when the table still does not take them.
    async fn next_deferred(&mut self, table: &'static TableDef) -> Result<Option<Batch>, End> {
        if let Err(error) = transaction::probe(&self.link.session.client, table.name).await {
            error
                .as_db_error()
                .ok_or_else(|| End::Broken(describe(&error)))?;
            self.defer(table.name, &describe(&error));
            return Ok(None);
        }
        let progress = self.link.progress.clone();
        let records = self.writer.options.borrow().batch_records;
        let around = self.around();
        let mut batch = self
            .writer
            .queue
            .with_spool(move |spool| {
                Batch::plan_deferred(spool, &progress, table, records, &around)
            })
            .await;
        if batch.trouble.is_some() {
            self.note_queue(batch.trouble.take());
            self.defer(table.name, "its rows in the queue cannot be read");
            return Ok(None);
        }
        let identities = ProcessIdentity::TABLE.name;
        if table.name != identities && self.memory.deferred.contains_key(identities) {
            batch.drop_identities();
        }
        batch.add_identities(&self.identities);
        self.ensure_partitions(&batch).await?;
        Ok(Some(batch))
    }

    /// Logs that a table is no longer deferred.
    fn recovered(&self, table: &TableDef) {
        tracing::info!(table = table.name, "the table takes its rows again");
        if self.memory.deferred.is_empty() {
            self.writer.status.update(|status| status.error = None);
        }
    }
}
