//! Tables that did not take their rows: remembered over connections, tried again with growing
//! pauses, and paid from the spool once they take rows again.

use super::batch::Batch;
use super::{End, NO_PARTITION, Obstacle, Session, describe, transaction};
use schema::tables::ProcessIdentity;
use schema::{Class, Sample, TABLES, TableDef};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// First pause before a table that owes is tried again; doubled up to [`DEBT_PAUSE_MAX`].
const DEBT_PAUSE: Duration = Duration::from_secs(2);
/// Longest pause before a table that owes is tried again.
const DEBT_PAUSE_MAX: Duration = Duration::from_secs(60);

/// A table that did not take its rows.
#[derive(Debug)]
pub(super) struct Debtor {
    pub(super) again: Instant,
    pause: Duration,
    pub(super) error: String,
}

impl Session<'_> {
    pub(super) fn note_debtor(&mut self, table: &'static str, error: &str) {
        let known = self.memory.debtors.get(table);
        let pause = known.map_or(DEBT_PAUSE, |known| (known.pause * 2).min(DEBT_PAUSE_MAX));
        let debtor = Debtor {
            again: Instant::now() + pause,
            pause,
            error: error.to_owned(),
        };
        if self.memory.debtors.insert(table, debtor).is_none() {
            tracing::warn!(
                table,
                error,
                "a table does not take its rows; the others go on, it is tried again"
            );
        }
        self.say_debt(table, error);
    }

    pub(super) fn say_debt(&self, table: &str, error: &str) {
        self.writer
            .status
            .update(|status| status.error = Some(format!("{table}: {error}")));
    }

    /// Offers tables what they owe.
    pub(super) async fn pay_debts(&mut self) -> Result<(), End> {
        for table in TABLES {
            let owes = Class::ALL
                .into_iter()
                .any(|class| self.link.progress.of(class).owed.contains_key(table.name));
            if !owes {
                if self.memory.debtors.remove(table.name).is_some() {
                    self.recovered(table);
                }
                continue;
            }
            while self
                .memory
                .debtors
                .get(table.name)
                .is_none_or(|debtor| Instant::now() >= debtor.again)
            {
                if !self.pay(table).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One transaction of what a table owes; whether it owes more.
    async fn pay(&mut self, table: &'static TableDef) -> Result<bool, End> {
        if let Err(error) = transaction::probe(&self.link.session.client, table.name).await {
            error
                .as_db_error()
                .ok_or_else(|| End::Broken(describe(&error)))?;
            self.note_debtor(table.name, &describe(&error));
            return Ok(false);
        }
        let progress = self.link.progress.clone();
        let records = self.writer.options.borrow().batch_records;
        let around = self.around();
        let mut batch = self
            .writer
            .queue
            .with_spool(move |spool| Batch::plan_debt(spool, &progress, table, records, &around))
            .await;
        if batch.trouble.is_some() {
            self.note_queue(batch.trouble.take());
            self.note_debtor(table.name, "its rows in the queue cannot be read");
            return Ok(false);
        }
        let identities = ProcessIdentity::TABLE.name;
        if table.name != identities && self.memory.debtors.contains_key(identities) {
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
                    let owes = Class::ALL
                        .into_iter()
                        .any(|class| paid.of(class).owed.contains_key(table.name));
                    if !owes && self.memory.debtors.remove(table.name).is_some() {
                        self.recovered(table);
                    }
                    return Ok(owes);
                }
                Some(Obstacle::Content(name)) if suspects.insert(name) => {}
                Some(Obstacle::Homeless(name)) if !is_rehoused => {
                    is_rehoused = true;
                    self.rehouse(name, &batch).await?;
                }
                Some(Obstacle::Homeless(name)) => {
                    self.note_debtor(name, NO_PARTITION);
                    return Ok(false);
                }
                Some(Obstacle::Heartbeat) => {}
                Some(_) => return Ok(false),
            }
        }
    }

    fn recovered(&self, table: &TableDef) {
        tracing::info!(table = table.name, "the table takes its rows again");
        if self.memory.debtors.is_empty() {
            self.writer.status.update(|status| status.error = None);
        }
    }
}
