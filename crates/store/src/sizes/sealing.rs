//! How far the store is sealed.

use std::collections::BTreeSet;

use super::Store;
use crate::partitions::day_of;

/// What is sealed of all tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// The last day, as ISO 8601.
    pub until: String,
    /// What the sealed days took before.
    pub bytes_before: i64,
    /// What they take, and the hours of today that are sealed beside their rows.
    pub bytes: i64,
    /// Days that are over and have rows that are not sealed.
    pub waiting_days: usize,
}

impl Store {
    /// Returns how far it is sealed; `None` while no day is.
    #[must_use]
    pub fn sealing(&self) -> Option<Sealing> {
        let sealed = || {
            self.tables
                .iter()
                .filter_map(|table| Some((table, table.sealed.as_ref()?)))
        };
        // ISO 8601 sorts as days do.
        let until = sealed().map(|(_, sealed)| &sealed.until).max()?.clone();
        let today = day_of(self.at);
        // The rows of a day that is sealed have no partition.
        let rows = self.tables.iter().filter(|table| {
            let declared = schema::table(&table.name);
            declared.is_some_and(|declared| declared.sealed.is_some())
        });
        let days = rows.flat_map(|table| table.by_day.iter().map(|(day, _)| *day));
        let waiting: BTreeSet<i64> = days.filter(|day| *day < today).collect();
        Some(Sealing {
            until,
            bytes_before: sealed().map(|(_, sealed)| sealed.bytes_before).sum(),
            bytes: sealed().map(|(table, _)| table.bytes()).sum(),
            waiting_days: waiting.len(),
        })
    }
}
