//! Tables that did not take their rows: their rows are deferred. The tables are remembered over connections and
//! tried again with growing pauses, and the rows are delivered from the spool once they take them.

use super::batch::Batch;
use super::{End, NO_PARTITION, Obstacle, Session, describe, transaction};
use schema::tables::ProcessIdentity;
use schema::{Class, Sample, TABLES, TableDef};
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

    pub(super) fn report_deferred(&self, table: &str, error: &str) {
        self.writer
            .status
            .update(|status| status.error = Some(format!("{table}: {error}")));
    }

    /// Offers tables the rows that were deferred.
    pub(super) async fn retry_deferred(&mut self) -> Result<(), End> {
        for table in TABLES {
            let is_deferred = Class::ALL
                .into_iter()
                .any(|class| self.link.progress.of(class).owed.contains_key(table.name));
            if !is_deferred {
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

    /// Delivers one transaction of a table's deferred rows; whether there are more.
    async fn retry(&mut self, table: &'static TableDef) -> Result<bool, End> {
        if let Err(error) = transaction::probe(&self.link.session.client, table.name).await {
            error
                .as_db_error()
                .ok_or_else(|| End::Broken(describe(&error)))?;
            self.defer(table.name, &describe(&error));
            return Ok(false);
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
            return Ok(false);
        }
        let identities = ProcessIdentity::TABLE.name;
        if table.name != identities && self.memory.deferred.contains_key(identities) {
            batch.drop_identities();
        }
        batch.add_identities(&self.identities);
        self.ensure_partitions(&batch).await?;
        let mut paid = self.link.progress.clone();
        for (class, covered) in &batch.covered {
            paid.class(*class).pay(table.name, covered);
        }
        let (mut suspects, mut is_rehoused) = (BTreeSet::new(), false);
        loop {
            match self
                .attempt(&batch, paid.clone(), &BTreeSet::new(), &suspects)
                .await?
            {
                None => {
                    let is_deferred = Class::ALL
                        .into_iter()
                        .any(|class| paid.of(class).owed.contains_key(table.name));
                    if !is_deferred && self.memory.deferred.remove(table.name).is_some() {
                        self.recovered(table);
                    }
                    return Ok(is_deferred);
                }
                Some(Obstacle::Content(name)) if suspects.insert(name) => {}
                Some(Obstacle::Homeless(name)) if !is_rehoused => {
                    is_rehoused = true;
                    self.rehouse(name, &batch).await?;
                }
                Some(Obstacle::Homeless(name)) => {
                    self.defer(name, NO_PARTITION);
                    return Ok(false);
                }
                Some(Obstacle::Heartbeat) => {}
                Some(_) => return Ok(false),
            }
        }
    }

    fn recovered(&self, table: &TableDef) {
        tracing::info!(table = table.name, "the table takes its rows again");
        if self.memory.deferred.is_empty() {
            self.writer.status.update(|status| status.error = None);
        }
    }
}
