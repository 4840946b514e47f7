//! Progress of a spool's delivery, as the database has it.
//!
//! Per class of the spool two things are kept: the numbers of the records that are *delivered*,
//! and per table those of them whose rows are *deferred*, because the table was locked, missing or
//! refused them when the others were stored. Normally that is one range and nothing deferred:
//! `{"core": {"delivered": [[1, 8641]], "owed": {}}}`.
//!
//! A set of ranges, not a single mark, because after an outage the newest records are delivered
//! beside the backlog, and because a record can be lost.

use crate::ranges::RangeSet;
use schema::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Progress of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassProgress {
    /// Records that are stored, apart from deferred rows, or known to be lost.
    pub delivered: RangeSet,
    /// By table: delivered records whose rows of this table are not stored yet. Stored as `owed`.
    #[serde(default, rename = "owed")]
    pub deferred: BTreeMap<String, RangeSet>,
    /// Number of records that were delivered from memory, so that they never had a number in the spool.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_memory: u64,
}

impl ClassProgress {
    /// Returns the records without deferred rows: the spool may remove them.
    #[must_use]
    pub fn settled(&self) -> RangeSet {
        self.deferred
            .values()
            .fold(self.delivered.clone(), |settled, deferred| {
                settled.difference(deferred)
            })
    }

    /// Defers the rows of a table in these records.
    pub fn defer(&mut self, table: &str, records: &RangeSet) {
        if !records.is_empty() {
            let deferred = self.deferred.entry(table.to_owned()).or_default();
            *deferred = deferred.union(records);
        }
    }

    /// Notes that the deferred rows of a table in these records are stored.
    pub fn complete(&mut self, table: &str, records: &RangeSet) {
        if let Some(deferred) = self.deferred.get_mut(table) {
            *deferred = deferred.difference(records);
            if deferred.is_empty() {
                self.deferred.remove(table);
            }
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Progress of a whole spool, by the name of its class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Progress(BTreeMap<String, ClassProgress>);

impl Progress {
    /// Returns the progress of one class, to be changed.
    pub fn class(&mut self, class: Class) -> &mut ClassProgress {
        self.0.entry(class.as_str().to_owned()).or_default()
    }

    /// Returns the progress of one class; that of a new one if there is none.
    #[must_use]
    pub fn of(&self, class: Class) -> ClassProgress {
        self.0.get(class.as_str()).cloned().unwrap_or_default()
    }

    /// Returns whether rows of this table are deferred.
    #[must_use]
    pub fn is_deferred(&self, table: &str) -> bool {
        let mut classes = self.0.values();
        classes.any(|class| class.deferred.contains_key(table))
    }

    /// Returns whether rows of any table are deferred.
    #[must_use]
    pub fn has_deferred(&self) -> bool {
        self.0.values().any(|class| !class.deferred.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(from: u64, to: u64) -> RangeSet {
        let mut set = RangeSet::new();
        set.insert(from..to);
        set
    }

    #[test]
    fn deferred_records_are_not_settled() {
        let mut progress = ClassProgress {
            delivered: set(1, 10),
            ..ClassProgress::default()
        };
        progress.defer("a", &set(3, 5));
        progress.defer("b", &set(4, 7));
        assert_eq!(progress.settled(), set(1, 3).union(&set(7, 10)));
        progress.complete("a", &set(3, 5));
        assert_eq!(progress.settled(), set(1, 4).union(&set(7, 10)));
        progress.complete("b", &set(4, 7));
        assert_eq!(progress.settled(), set(1, 10));
        assert!(progress.deferred.is_empty());
    }

    #[test]
    fn it_survives_the_database() {
        let mut progress = Progress::default();
        progress.class(Class::Core).delivered = set(1, 4).union(&set(9, 12));
        progress.class(Class::Core).defer("t", &set(2, 3));
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(
            text,
            r#"{"core":{"delivered":[[1,4],[9,12]],"owed":{"t":[[2,3]]}}}"#
        );
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
    }
}
