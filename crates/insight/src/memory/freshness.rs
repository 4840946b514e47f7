//! When each source delivered last, and whether it is silent: the difference between a subject that is gone and one that
//! nobody reports.

use super::fields::{Column, Fields, Place as _};
use schema::micros::SECOND;
use schema::{Row, TableDef, Timestamp};
use std::collections::HashMap;

/// Columns that name who delivers the rows of a table; tables without one are the host's.
const OWNERS: [&str; 3] = ["instance", "target", "source"];

/// A source is silent after so many intervals without a row …
const SILENT_INTERVALS: i64 = 3;
/// … and not before this long.
const SILENT_LEAST: i64 = 60 * SECOND;

/// The newest instant of each table and source.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    tables: HashMap<&'static str, Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The column that names the owner.
    owner: Option<Column>,
    /// By owner.
    newest: HashMap<Box<str>, Timestamp>,
    /// Of any owner.
    last: Timestamp,
}

impl Freshness {
    /// Notes rows of one table.
    pub(super) fn take(&mut self, rows: &[Row]) {
        let Some(first) = rows.first() else { return };
        let table = self.tables.entry(first.table.name);
        let table = table.or_insert_with(|| Table {
            owner: OWNERS.iter().find_map(|name| name.column(first.table)),
            ..Table::default()
        });
        let owner = table.owner;
        // The rows of an owner come together.
        for rows in rows.chunk_by(|a, b| owner_of(a, owner) == owner_of(b, owner)) {
            let newest = rows.iter().map(|row| row.ts).max().unwrap_or_default();
            table.note(rows.first().map_or("", |row| owner_of(row, owner)), newest);
        }
    }

    /// Returns when the source of a key delivered rows of a table last.
    fn newest(&self, table: &TableDef, key: &str) -> Option<Timestamp> {
        self.tables.get(table.name)?.of(key)
    }

    /// Returns whether the source of a key delivered rows of a table after an instant.
    pub(crate) fn is_newer(&self, table: &TableDef, key: &str, than: Timestamp) -> bool {
        let table = self.tables.get(table.name);
        table.is_some_and(|table| table.last > than && table.of(key).is_some_and(|of| of > than))
    }

    /// Returns whether the source of a key has not delivered rows of a table for longer than it should take: they come
    /// every so many microseconds.
    pub(crate) fn is_silent(&self, table: &TableDef, key: &str, every: i64, at: Timestamp) -> bool {
        let newest = self.newest(table, key);
        newest.is_none_or(|newest| is_overdue(newest, every, at))
    }

    /// Returns who delivered rows of a table and is silent, and when each did last.
    pub(crate) fn silent(
        &self,
        table: &TableDef,
        every: i64,
        at: Timestamp,
    ) -> impl Iterator<Item = (&str, Timestamp)> {
        let owners = self.tables.get(table.name).into_iter();
        let owners = owners.flat_map(|table| table.newest.iter());
        owners
            .map(|(owner, newest)| (&**owner, *newest))
            .filter(move |(_, newest)| is_overdue(*newest, every, at))
    }

    /// Forgets whoever is not the host itself: which servers and targets are watched has changed.
    pub(super) fn forget_services(&mut self) {
        self.tables.retain(|_, table| table.owner.is_none());
    }
}

impl Table {
    fn note(&mut self, owner: &str, ts: Timestamp) {
        self.last = ts.max(self.last);
        match self.newest.get_mut(owner) {
            Some(newest) => *newest = ts.max(*newest),
            None => drop(self.newest.insert(owner.into(), ts)),
        }
    }

    fn of(&self, key: &str) -> Option<Timestamp> {
        // A key begins with its owner, which has no dot; names of targets and logs may have some.
        let first = key.split_once('.').map_or(key, |(first, _)| first);
        let owner = if self.owner.is_some() { first } else { "" };
        let newest = self.newest.get(owner).or_else(|| self.newest.get(key));
        newest.copied()
    }
}

fn owner_of(row: &Row, column: Option<Column>) -> &str {
    column.map_or("", |column| Fields(row).text(column))
}

/// Returns whether nothing came for longer than rows of this interval take.
fn is_overdue(newest: Timestamp, every: i64, at: Timestamp) -> bool {
    let patience = every.saturating_mul(SILENT_INTERVALS).max(SILENT_LEAST);
    at.as_micros() - newest.as_micros() > patience
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Sample;
    use schema::tables::{LogSource, SystemSample, TableSample};

    #[test]
    fn a_source_is_fresh_by_its_own_rows() {
        let mut freshness = Freshness::default();
        let table = TableSample {
            instance: "main".to_owned(),
            ..TableSample::default()
        };
        let log = |source: &str| LogSource {
            source: source.to_owned(),
            ..LogSource::default()
        };
        let newer = table.clone().into_row(Timestamp(7));
        freshness.take(&[newer, table.into_row(Timestamp(5))]);
        freshness.take(&[SystemSample::default().into_row(Timestamp(9))]);
        freshness.take(&[
            log("app.log").into_row(Timestamp(3)),
            log("web.log").into_row(Timestamp(4)),
        ]);
        for (table, key, expected) in [
            (TableSample::TABLE, "main.shop.public.orders", Some(7)),
            (TableSample::TABLE, "other.shop.public.orders", None),
            (SystemSample::TABLE, "", Some(9)),
            (LogSource::TABLE, "app.log", Some(3)),
            (LogSource::TABLE, "web.log", Some(4)),
        ] {
            assert_eq!(
                freshness.newest(table, key),
                expected.map(Timestamp),
                "{key}"
            );
            for than in [2, 3, 4, 7] {
                let is_newer = expected.is_some_and(|newest| newest > than);
                assert_eq!(freshness.is_newer(table, key, Timestamp(than)), is_newer);
            }
        }
    }

    #[test]
    fn a_source_is_silent_after_three_intervals_and_a_minute() {
        let mut freshness = Freshness::default();
        let server = TableSample {
            instance: "main".to_owned(),
            ..TableSample::default()
        };
        freshness.take(&[server.into_row(Timestamp(0))]);
        for (every, secs, expected) in [
            (10, 60, false),
            (10, 61, true),
            (60, 180, false),
            (60, 181, true),
        ] {
            let (every, at) = (every * SECOND, Timestamp(secs * SECOND));
            let table = TableSample::TABLE;
            let is_silent = freshness.is_silent(table, "main.shop", every, at);
            assert_eq!(is_silent, expected, "{every} {secs}");
            let owners: Vec<&str> = freshness
                .silent(table, every, at)
                .map(|(owner, _)| owner)
                .collect();
            assert_eq!(owners == ["main"], expected);
        }
        assert!(freshness.is_silent(TableSample::TABLE, "gone", 1, Timestamp(0)));
    }
}
