//! How far a spool is delivered, as the database remembers it.
//!
//! Per class of the spool two things are kept: the numbers of the records that are *delivered*,
//! and per table those of them that this table still *owes*, because it was locked, missing or
//! refused when the others were stored. Normally that is one range and no debt:
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
    /// Records that are stored, but for what is owed, or known to be lost.
    pub delivered: RangeSet,
    /// By table: delivered records whose rows of this table are not stored yet.
    #[serde(default)]
    pub owed: BTreeMap<String, RangeSet>,
    /// How many records were delivered from memory, so that they never had a number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_memory: u64,
}

impl ClassProgress {
    /// Records that nothing waits for any more: the spool may forget them.
    #[must_use]
    pub fn settled(&self) -> RangeSet {
        self.owed
            .values()
            .fold(self.delivered.clone(), |settled, owed| {
                settled.difference(owed)
            })
    }

    /// Adds a debt of a table.
    pub fn owe(&mut self, table: &str, records: &RangeSet) {
        if !records.is_empty() {
            let owed = self.owed.entry(table.to_owned()).or_default();
            *owed = owed.union(records);
        }
    }

    /// Takes records off a table's debt.
    pub fn pay(&mut self, table: &str, records: &RangeSet) {
        if let Some(owed) = self.owed.get_mut(table) {
            *owed = owed.difference(records);
            if owed.is_empty() {
                self.owed.remove(table);
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
    /// Progress of one class.
    pub fn class(&mut self, class: Class) -> &mut ClassProgress {
        self.0.entry(class.as_str().to_owned()).or_default()
    }

    /// Progress of one class, as far as there is any.
    #[must_use]
    pub fn of(&self, class: Class) -> ClassProgress {
        self.0.get(class.as_str()).cloned().unwrap_or_default()
    }

    /// Whether rows of any table are deferred.
    #[must_use]
    pub fn has_deferred(&self) -> bool {
        self.0.values().any(|class| !class.owed.is_empty())
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
    fn what_a_table_owes_is_not_settled() {
        let mut progress = ClassProgress {
            delivered: set(1, 10),
            ..ClassProgress::default()
        };
        progress.owe("a", &set(3, 5));
        progress.owe("b", &set(4, 7));
        assert_eq!(progress.settled(), set(1, 3).union(&set(7, 10)));
        progress.pay("a", &set(3, 5));
        assert_eq!(progress.settled(), set(1, 4).union(&set(7, 10)));
        progress.pay("b", &set(4, 7));
        assert_eq!(progress.settled(), set(1, 10));
        assert!(progress.owed.is_empty());
    }

    #[test]
    fn it_survives_the_database() {
        let mut progress = Progress::default();
        progress.class(Class::Core).delivered = set(1, 4).union(&set(9, 12));
        progress.class(Class::Core).owe("t", &set(2, 3));
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(
            text,
            r#"{"core":{"delivered":[[1,4],[9,12]],"owed":{"t":[[2,3]]}}}"#
        );
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
    }
}
