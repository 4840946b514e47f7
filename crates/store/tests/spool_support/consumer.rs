//! A model of the database: every stored record once, and the reported losses.

use std::collections::BTreeMap;

use schema::Class;
use store::ranges::RangeSet;
use store::spool::{Disk, Kind, Loss, Reason, Record, Spool};

use testkit::Dice;

/// A payload that identifies itself: a tag, then bytes derived from it.
pub fn payload(tag: u64, len: usize) -> Vec<u8> {
    let mut payload = tag.to_le_bytes().to_vec();
    payload.extend(Dice::new(tag).bytes(len));
    payload
}

/// The tag that each payload begins with; unique to one call of append, repeats of it included.
pub fn tag(record: &Record) -> u64 {
    let mut le = [0; 8];
    le.copy_from_slice(&record.payload[..8]);
    u64::from_le_bytes(le)
}

/// A database of one writer.
#[derive(Debug, Default)]
pub struct Database {
    /// By tag: class, lsn.
    pub stored: BTreeMap<u64, (Class, u64)>,
    /// Done with, by class: stored, lost or a note.
    pub done: BTreeMap<Class, RangeSet>,
    /// Numbers reported as lost which were not stored, by class and reason.
    pub lost: BTreeMap<(Class, &'static str), RangeSet>,
    /// Sum of the reported counts, where whole notes applied.
    pub lost_records: BTreeMap<(Class, &'static str), u64>,
    pub notes: Vec<Loss>,
}

impl Database {
    pub fn done(&self, class: Class) -> RangeSet {
        self.done.get(&class).cloned().unwrap_or_default()
    }

    fn finish(&mut self, class: Class, lsns: &RangeSet) {
        let done = self.done.entry(class).or_default();
        *done = done.union(lsns);
    }

    /// Takes up to `most` records of each class, notes first.
    ///
    /// Panics when a record comes twice.
    pub fn drain<D: Disk>(&mut self, spool: &mut Spool<D>, most: usize) -> usize {
        let mut taken = 0;
        for class in [Class::Event, Class::Core, Class::Bulk] {
            let mut from = 1;
            for _ in 0..most {
                let waiting = spool.present(class).difference(&self.done(class));
                let Some(lsn) = waiting.next_from(from) else {
                    break;
                };
                from = lsn + 1;
                let Ok(records) = spool.read(class, lsn, usize::MAX, 1) else {
                    break;
                };
                for record in records {
                    if self.done(class).contains(record.lsn) {
                        continue;
                    }
                    taken += 1;
                    self.take(class, &record);
                }
            }
        }
        taken
    }

    pub fn take(&mut self, class: Class, record: &Record) {
        self.finish(class, &RangeSet::from(record.lsn..record.lsn + 1));
        if record.kind == Kind::Rows {
            assert!(
                record.payload == payload(tag(record), record.payload.len() - 8),
                "{class:?} {} is not what was given",
                record.lsn
            );
            let before = self.stored.insert(tag(record), (class, record.lsn));
            assert_eq!(
                before, None,
                "stored twice, now as {class:?} {}",
                record.lsn
            );
            return;
        }
        let loss = record.loss().expect("a note of loss");
        let new = loss.lsns.difference(&self.done(loss.class));
        let key = (loss.class, loss.reason.as_str());
        if new == loss.lsns {
            *self.lost_records.entry(key).or_default() += loss.records;
        } else {
            *self.lost_records.entry(key).or_default() += new.len().min(loss.records);
        }
        let lost = self.lost.entry(key).or_default();
        *lost = lost.union(&new);
        self.finish(loss.class, &new);
        self.notes.push(loss);
    }

    pub fn release<D: Disk>(&self, spool: &mut Spool<D>) {
        for class in Class::ALL {
            // A refused unlink or a full disk is tried again with the next release.
            drop(spool.release(class, &self.done(class)));
        }
    }

    pub fn reported(&self, class: Class, reason: Reason) -> RangeSet {
        let key = (class, reason.as_str());
        self.lost.get(&key).cloned().unwrap_or_default()
    }
}
