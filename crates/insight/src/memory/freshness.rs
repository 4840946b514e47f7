//! When each source delivered last: the difference between a subject that is gone and one that nobody reports.

use super::fields::Fields;
use schema::{Row, TableDef, Timestamp};
use std::collections::HashMap;

/// Columns that name who delivers the rows of a table; tables without one are the host's.
const OWNERS: [&str; 3] = ["instance", "target", "source"];

/// The newest instant of each table and source.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    /// By name of the table: its owner's column, and the newest instant by owner.
    tables: HashMap<&'static str, Table>,
}

#[derive(Debug, Default)]
struct Table {
    owner: Option<&'static str>,
    newest: HashMap<Box<str>, Timestamp>,
}

impl Freshness {
    /// Notes a row.
    pub(super) fn take(&mut self, row: &Row) {
        let table = self.tables.entry(row.table.name);
        let table = table.or_insert_with(|| Table {
            owner: owner_of(row.table),
            newest: HashMap::new(),
        });
        let owner = table.owner.map_or("", |column| Fields(row).text(column));
        match table.newest.get_mut(owner) {
            Some(newest) => *newest = row.ts.max(*newest),
            None => {
                table.newest.insert(owner.into(), row.ts);
            }
        }
    }

    /// Returns when the source of a key delivered rows of a table last.
    pub(crate) fn of(&self, table: &TableDef, key: &str) -> Option<Timestamp> {
        let table = self.tables.get(table.name)?;
        // A key begins with its owner, which has no dot; names of targets and logs may have some.
        let first = key.split_once('.').map_or(key, |(first, _)| first);
        let owner = if table.owner.is_some() { first } else { "" };
        table
            .newest
            .get(owner)
            .or_else(|| table.newest.get(key))
            .copied()
    }

    /// Returns who delivers rows of a table, and when each did last.
    pub(crate) fn owners(&self, table: &TableDef) -> impl Iterator<Item = (&str, Timestamp)> {
        let owners = self.tables.get(table.name).into_iter();
        owners.flat_map(|table| table.newest.iter().map(|(owner, ts)| (&**owner, *ts)))
    }

    /// Forgets whoever is not the host itself: which servers and targets are watched has changed.
    pub(super) fn forget_services(&mut self) {
        self.tables.retain(|_, table| table.owner.is_none());
    }
}

fn owner_of(table: &TableDef) -> Option<&'static str> {
    OWNERS.into_iter().find(|name| table.column(name).is_some())
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
        let log = LogSource {
            source: "app.log".to_owned(),
            ..LogSource::default()
        };
        freshness.take(&table.clone().into_row(Timestamp(7)));
        freshness.take(&table.into_row(Timestamp(5)));
        freshness.take(&SystemSample::default().into_row(Timestamp(9)));
        freshness.take(&log.into_row(Timestamp(3)));
        for (table, key, expected) in [
            (TableSample::TABLE, "main.shop.public.orders", Some(7)),
            (TableSample::TABLE, "other.shop.public.orders", None),
            (SystemSample::TABLE, "", Some(9)),
            (LogSource::TABLE, "app.log", Some(3)),
        ] {
            assert_eq!(freshness.of(table, key), expected.map(Timestamp), "{key}");
        }
    }
}
