//! A batch: the records of one transaction, chosen from the spool by the progress in the database.
//!
//! Records of class `event` go first, so that noted losses are known before holes are looked for.
//! Of the others, *live* records (younger than the moment the connection was made) go with every
//! transaction and a bounded piece of the *backlog* beside them, so that after an outage the
//! dashboard is live at once while the past fills in.

use crate::processes::{self, Identities, KnownIdentities};
use crate::progress::Progress;
use crate::queue::LeasedGroup;
use crate::ranges::RangeSet;
use crate::spool::{Kind, Loss, Reason, Record, Spool, SpoolError};
use crate::tuple::{self, Group};
use bytes::Bytes;
use schema::tables::ProcessIdentity;
use schema::{Class, Sample, TableDef, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of payload of the backlog taken with one transaction: some five thousand rows, a few
/// dozen milliseconds of the server's time.
const BACKLOG_BYTES: usize = 1024 * 1024;
/// More undelivered records than this at connect are a backlog: a minute of ticks.
const LIVE_RECORDS: u64 = 6;

/// Rows of one table and the records they come from.
#[derive(Debug)]
pub(super) struct TableBatch {
    pub(super) table: &'static TableDef,
    pub(super) groups: Vec<Group>,
    pub(super) records: BTreeMap<Class, RangeSet>,
}

/// Rows of one table that come from memory.
#[derive(Debug)]
struct HeldMark {
    /// Their number in the queue.
    id: u64,
    /// Number of what would have been one record of the spool.
    record: (Class, u64),
    table: &'static str,
}

/// A span of records that are not there any more, to be noted in `data_gaps`.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) class: Class,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) records: u64,
    pub(super) rows: Option<u64>,
    pub(super) reason: &'static str,
}

/// One transaction's worth.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) tables: Vec<TableBatch>,
    /// Groups of tables this version does not have.
    pub(super) unknown_tables: Vec<Group>,
    pub(super) gaps: Vec<Gap>,
    pub(super) covered: BTreeMap<Class, RangeSet>,
    pub(super) oldest: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
    /// Records left out because another agent's run covers their time.
    pub(super) superseded: u64,
    /// Whether the spool holds more than this batch takes.
    pub(super) more: bool,
    /// Rows that are held in memory because the spool's disk refused them.
    held: Vec<HeldMark>,
    /// Identities of the processes of the batch, and the records that they come from.
    identities: Identities,
    identity_records: BTreeMap<Class, RangeSet>,
    /// The keys of identities that the batch stores.
    pub(super) identity_keys: Vec<i64>,
    /// Error of the spool in spite of which the batch was planned.
    pub(super) trouble: Option<String>,
    /// Records that the database did not have when the batch was planned, by class.
    todo: BTreeMap<Class, RangeSet>,
}

/// Known instants around missing records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// The newest sample that the database had when the session began.
    pub(super) stored: Option<Timestamp>,
    /// Now.
    pub(super) now: Timestamp,
}

/// First live record by class, and spans that another agent has stored already.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    /// Records of either kind taken with one transaction.
    pub(super) records: usize,
    live_from: BTreeMap<Class, u64>,
    /// First record of this session, by class; older ones may be covered by another agent.
    pub(super) session_from: BTreeMap<Class, u64>,
    /// Spans in which another agent wrote for this host.
    pub(super) covered: Vec<(Timestamp, Timestamp)>,
}

impl Lanes {
    /// Splits what waits now into backlog and, from here on, live.
    pub(super) fn split(spool: &Spool, progress: &Progress) -> Self {
        let mut lanes = Self::default();
        for class in Class::ALL {
            let next = spool.next_lsn(class);
            let waiting = todo(spool, progress, class).len();
            lanes
                .live_from
                .insert(class, if waiting > LIVE_RECORDS { next } else { 0 });
            lanes.session_from.insert(class, next);
        }
        lanes
    }

    fn is_covered(&self, class: Class, record: &Record) -> bool {
        record.lsn < self.session_from.get(&class).copied().unwrap_or(0)
            && self
                .covered
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&record.ts))
    }
}

/// Returns the records of a class that the database does not have, whether or not the spool still has them.
pub(crate) fn todo(spool: &Spool, progress: &Progress, class: Class) -> RangeSet {
    RangeSet::from(1..spool.next_lsn(class))
        .difference(&progress.of(class).delivered)
        .difference(spool.unused(class))
}

impl Batch {
    /// Releases settled records of the spool and takes the next ones.
    pub(super) fn plan(
        spool: &mut Spool,
        progress: &Progress,
        lanes: &Lanes,
        around: &Around,
    ) -> Self {
        let mut batch = Self::default();
        // Even if the disk refuses writes, readable records are delivered.
        if let Err(error) = spool.restore_folder() {
            batch.note_trouble(&error);
        }
        for class in Class::ALL {
            if let Err(error) = spool.release(class, &progress.of(class).settled()) {
                batch.note_trouble(&error);
            }
            batch.todo.insert(class, todo(spool, progress, class));
        }
        for class in Class::ALL.into_iter().rev() {
            let todo = batch.todo.get(&class).cloned().unwrap_or_default();
            if todo.is_empty() {
                continue;
            }
            let present = todo.intersection(&spool.present(class));
            let live_from = lanes.live_from.get(&class).copied().unwrap_or(0);
            let live = present.intersection(&RangeSet::from(live_from..u64::MAX));
            let backlog = present.difference(&live);
            let taken = batch
                .take(spool, class, &live, usize::MAX, lanes, around)
                .and_then(|()| batch.take(spool, class, &backlog, BACKLOG_BYTES, lanes, around));
            if let Err(error) = taken {
                batch.note_trouble(&error);
            } else if !batch.more {
                batch.note_missing(spool, class, &todo.difference(&present), around);
            }
        }
        batch
    }

    fn note_trouble(&mut self, error: &SpoolError) {
        self.trouble.get_or_insert_with(|| pg::causes(error));
    }

    /// Adds rows that are held in memory.
    pub(super) fn add_held(&mut self, held: Vec<LeasedGroup>) {
        for held in held {
            self.held.push(HeldMark {
                id: held.id,
                record: (held.class, held.record),
                table: processes::stored_in(held.table).name,
            });
            self.see(held.ts);
            self.add_rows(held.table, held.group, None);
        }
    }

    /// Adds the identities that are not known to be stored. To be called when all rows were added.
    pub(super) fn add_identities(&mut self, known: &KnownIdentities) {
        let mut identities = std::mem::take(&mut self.identities);
        identities.drop_known(known);
        self.identity_keys = identities.keys().collect();
        let records = std::mem::take(&mut self.identity_records);
        if let Some(group) = identities.into_group() {
            let entry = self.entry(ProcessIdentity::TABLE);
            entry.groups.push(group);
            entry.records = records;
        }
    }

    /// Leaves out what identifies processes.
    pub(super) fn drop_identities(&mut self) {
        self.identities = Identities::default();
    }

    /// Returns the numbers of rows from memory that a transaction without these tables stores.
    pub(super) fn held_but(&self, skip: &BTreeSet<&'static str>) -> Vec<u64> {
        self.stored_held(skip).map(|held| held.id).collect()
    }

    /// Returns how many records these are, by class.
    pub(super) fn held_records(&self, skip: &BTreeSet<&'static str>) -> BTreeMap<Class, u64> {
        let records: BTreeSet<(Class, u64)> =
            self.stored_held(skip).map(|held| held.record).collect();
        let mut counts = BTreeMap::new();
        for (class, _) in records {
            *counts.entry(class).or_default() += 1;
        }
        counts
    }

    fn stored_held(&self, skip: &BTreeSet<&'static str>) -> impl Iterator<Item = &HeldMark> {
        let is_stored = |held: &&HeldMark| !skip.contains(held.table);
        self.held.iter().filter(is_stored)
    }

    /// Plans the deferred rows of one table, as far as one transaction takes them.
    pub(super) fn plan_deferred(
        spool: &mut Spool,
        progress: &Progress,
        table: &'static TableDef,
        records: usize,
        around: &Around,
    ) -> Self {
        let mut batch = Self::default();
        let lanes = Lanes {
            records,
            ..Lanes::default()
        };
        for class in Class::ALL {
            let Some(deferred) = progress.of(class).deferred.get(table.name).cloned() else {
                continue;
            };
            let present = deferred.intersection(&spool.present(class));
            batch.note_missing(spool, class, &deferred.difference(&present), around);
            let taken = batch.take(spool, class, &present, BACKLOG_BYTES, &lanes, around);
            if let Err(error) = taken {
                batch.note_trouble(&error);
            }
        }
        batch.unknown_tables.clear();
        batch.tables.retain(|entry| entry.table.name == table.name);
        if !processes::needs_identities(table) {
            batch.drop_identities();
        }
        batch
    }

    /// Returns whether there is nothing to deliver.
    pub(super) fn is_empty(&self) -> bool {
        self.covered.values().all(RangeSet::is_empty) && self.held.is_empty()
    }

    fn cover(&mut self, class: Class, lsn: u64) {
        self.covered.entry(class).or_default().insert(lsn..lsn + 1);
    }

    fn take(
        &mut self,
        spool: &mut Spool,
        class: Class,
        wanted: &RangeSet,
        max_bytes: usize,
        lanes: &Lanes,
        around: &Around,
    ) -> Result<(), SpoolError> {
        let (mut bytes, mut records) = (0, 0);
        for range in wanted.iter() {
            let mut at = range.start;
            while at < range.end {
                if bytes >= max_bytes || records >= lanes.records {
                    self.more = true;
                    return Ok(());
                }
                let found = spool.read(
                    class,
                    at,
                    max_bytes.min(BACKLOG_BYTES),
                    lanes.records - records,
                )?;
                let Some(last) = found.last().map(|record| record.lsn) else {
                    break;
                };
                for record in found.into_iter().filter(|record| record.lsn < range.end) {
                    bytes += record.payload.len();
                    records += 1;
                    if record.kind == Kind::Loss {
                        self.cover(class, record.lsn);
                        self.add_loss(spool, &record, around);
                    } else {
                        self.add(class, record, lanes);
                    }
                }
                at = last + 1;
            }
        }
        Ok(())
    }

    fn add(&mut self, class: Class, record: Record, lanes: &Lanes) {
        let (lsn, ts) = (record.lsn, record.ts);
        self.cover(class, lsn);
        if lanes.is_covered(class, &record) {
            self.superseded += 1;
            return;
        }
        self.see(ts);
        match tuple::decode(&Bytes::from(record.payload)) {
            Ok(groups) => {
                for group in groups {
                    self.add_group(class, lsn, group);
                }
            }
            Err(error) => {
                tracing::error!(class = class.as_str(), lsn, %error, "a record of the spool cannot be read; noted as a gap");
                self.gaps.push(Gap {
                    class,
                    from: ts,
                    to: ts,
                    records: 1,
                    rows: Some(u64::from(record.rows)),
                    reason: Reason::Damage.as_str(),
                });
            }
        }
    }

    fn add_group(&mut self, class: Class, lsn: u64, group: Group) {
        let Some(table) = schema::table(&group.table) else {
            self.unknown_tables.push(group);
            return;
        };
        self.add_rows(table, group, Some((class, lsn)));
    }

    /// Adds rows to the table that stores them, with the record that they come from.
    fn add_rows(&mut self, table: &'static TableDef, group: Group, record: Option<(Class, u64)>) {
        let stored = processes::stored_in(table);
        let group = if stored.name == table.name {
            group.fit(table)
        } else {
            if let Some((class, lsn)) = record {
                let records = self.identity_records.entry(class).or_default();
                records.insert(lsn..lsn + 1);
            }
            processes::split(&group, &mut self.identities)
        };
        let entry = self.entry(stored);
        entry.groups.push(group);
        if let Some((class, lsn)) = record {
            entry.records.entry(class).or_default().insert(lsn..lsn + 1);
        }
    }

    fn see(&mut self, ts: Timestamp) {
        self.oldest = Some(self.oldest.map_or(ts, |oldest| oldest.min(ts)));
        self.newest = Some(self.newest.map_or(ts, |newest| newest.max(ts)));
    }

    fn entry(&mut self, table: &'static TableDef) -> &mut TableBatch {
        let is_it = |entry: &TableBatch| entry.table.name == table.name;
        let known = self.tables.iter().position(is_it);
        let at = known.unwrap_or_else(|| {
            self.tables.push(TableBatch {
                table,
                groups: Vec::new(),
                records: BTreeMap::new(),
            });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }

    fn add_loss(&mut self, spool: &mut Spool, record: &Record, around: &Around) {
        let Some(mut loss) = Loss::decode(&record.payload) else {
            tracing::error!(
                lsn = record.lsn,
                "a note of loss in the spool cannot be read"
            );
            return;
        };
        // Records whose loss was found afterwards lie between the records before and after them.
        if loss.from_ts >= loss.to_ts && !loss.lsns.is_empty() && loss.reason.is_unseen() {
            let known = Some(loss.from_ts).filter(|ts| *ts != Timestamp::default());
            let around = Around {
                stored: known.or(around.stored),
                ..*around
            };
            (loss.from_ts, loss.to_ts) = Self::span(spool, loss.class, &loss.lsns, &around);
        }
        self.note_loss(loss);
    }

    /// Returns the time in which missing records were made, as far as is known: from the newest before them to
    /// the first after them, or now.
    fn span(
        spool: &mut Spool,
        class: Class,
        missing: &RangeSet,
        around: &Around,
    ) -> (Timestamp, Timestamp) {
        let first = missing.first().unwrap_or(0);
        let last = missing.last().unwrap_or(first);
        let present = spool.present(class);
        let before = present.intersection(&RangeSet::from(0..first)).last();
        let after = present.next_from(last + 1);
        let mut at = |lsn: Option<u64>| {
            let found = spool.read(class, lsn?, 0, 1).ok()?;
            found.first().map(|record| record.ts)
        };
        let to = at(after).unwrap_or(around.now);
        // Records before them may be delivered and gone; the database has the time of its newest.
        let from = at(before).or(around.stored).filter(|from| *from <= to);
        (from.unwrap_or(to), to)
    }

    /// Adds the gap of a loss that the spool noted, without records that are delivered or noted before.
    fn note_loss(&mut self, loss: Loss) {
        let known = self.covered.get(&loss.class).cloned().unwrap_or_default();
        let todo = self.todo.get(&loss.class).cloned().unwrap_or_default();
        let lost = todo.intersection(&loss.lsns).difference(&known);
        let unnumbered = loss.lsns.is_empty();
        if lost.is_empty() && !unnumbered {
            return;
        }
        let whole = unnumbered || lost == loss.lsns;
        self.gaps.push(Gap {
            class: loss.class,
            from: loss.from_ts,
            to: loss.to_ts,
            records: if whole {
                loss.records
            } else {
                lost.len().min(loss.records)
            },
            rows: loss.rows.filter(|_| whole),
            reason: loss.reason.as_str(),
        });
        let covered = self.covered.entry(loss.class).or_default();
        *covered = covered.union(&lost);
    }

    /// Adds the gap of records that neither the database nor the spool has, and no loss names.
    fn note_missing(
        &mut self,
        spool: &mut Spool,
        class: Class,
        missing: &RangeSet,
        around: &Around,
    ) {
        let noted = self.covered.get(&class).cloned().unwrap_or_default();
        let missing = missing.difference(&noted);
        if missing.is_empty() {
            return;
        }
        let (from, to) = Self::span(spool, class, &missing, around);
        self.gaps.push(Gap {
            class,
            from,
            to,
            records: missing.len(),
            rows: None,
            reason: Reason::Missing.as_str(),
        });
        let covered = self.covered.entry(class).or_default();
        *covered = covered.union(&missing);
    }
}
