//! What the tests of watched servers share: a server with everything on, and rows read by name.

#![allow(dead_code, reason = "not every test file needs everything")]

use std::time::Duration;

use collect::Moment;
use collect::postgres::{Databases, Instance, Postgres};
use schema::{Cell, Row, Sample, Timestamp};
use testkit::{Builder, Server};

/// A server with the extension loaded and everything allowed that the fixtures need.
pub(crate) fn builder() -> Builder {
    Server::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track_utility", "on")
        .setting("max_prepared_transactions", "10")
        .setting("wal_level", "logical")
        .setting("autovacuum", "off")
}

/// The server as an instance, watched by its superuser.
pub(crate) fn instance(server: &Server) -> Instance {
    Instance {
        name: "store".to_owned(),
        target: server.target(),
        databases: Databases::All,
        include_own: false,
        timeout: Duration::from_secs(10),
    }
}

/// The same, watched by another role.
pub(crate) fn instance_as(server: &Server, role: &str) -> Instance {
    let mut instance = instance(server);
    instance.target.user = role.to_owned();
    instance
}

/// Runs these statements, one after the other.
pub(crate) async fn do_each(server: &Server, steps: &[&str]) {
    for step in steps {
        server.sql(step).await.unwrap();
    }
}

/// Ticks at ten seconds' distance, whatever time it is.
#[derive(Debug)]
pub(crate) struct Ticks {
    pub(crate) watcher: Postgres,
    at: Moment,
}

impl Ticks {
    pub(crate) fn new(instance: Instance) -> Self {
        Self {
            watcher: Postgres::new(instance),
            at: Moment::default(),
        }
    }

    pub(crate) async fn fast(&mut self) -> Rows {
        self.step(10);
        let mut out = Vec::new();
        self.watcher.fast(&self.at, &mut out).await;
        storable(out)
    }

    pub(crate) async fn slow(&mut self) -> Rows {
        self.step(290);
        let mut out = Vec::new();
        self.watcher.slow(&self.at, &mut out).await;
        storable(out)
    }

    fn step(&mut self, secs: u32) {
        self.at.monotonic += Duration::from_secs(secs.into());
        self.at.ts = Timestamp(self.at.ts.0 + i64::from(secs) * 1_000_000);
    }
}

/// Rows that the tables would take: NULL only where it may be.
fn storable(rows: Vec<Row>) -> Rows {
    for row in &rows {
        for (column, cell) in row.table.columns.iter().zip(&row.cells) {
            let null = *cell == Cell::Null && !column.nullable;
            assert!(!null, "{} of {} is NULL", column.name, row.table.name);
        }
    }
    Rows(rows)
}

/// The rows of a tick.
#[derive(Debug)]
pub(crate) struct Rows(pub(crate) Vec<Row>);

impl Rows {
    /// Those of a table.
    pub(crate) fn of<S: Sample>(&self) -> Vec<&Row> {
        let of = |row: &&Row| row.table.name == S::TABLE.name;
        self.0.iter().filter(of).collect()
    }

    /// The one row of a table.
    pub(crate) fn one<S: Sample>(&self) -> &Row {
        match self.of::<S>()[..] {
            [row] => row,
            ref rows => panic!("{} rows of {}: {rows:?}", rows.len(), S::TABLE.name),
        }
    }

    /// The row of a table whose column holds a text.
    pub(crate) fn with<S: Sample>(&self, column: &str, text: &str) -> &Row {
        self.find::<S>(column, text)
            .unwrap_or_else(|| panic!("no {column} {text} in {:#?}", self.of::<S>()))
    }

    pub(crate) fn find<S: Sample>(&self, column: &str, text: &str) -> Option<&Row> {
        let holds = |row: &&Row| *cell(row, column) == Cell::Text(text.into());
        self.of::<S>().into_iter().find(holds)
    }
}

/// A cell by the name of its column.
pub(crate) fn cell<'a>(row: &'a Row, column: &str) -> &'a Cell {
    let mut columns = row.table.columns.iter();
    let at = columns.position(|declared| declared.name == column);
    &row.cells[at.unwrap_or_else(|| panic!("{} has no {column}", row.table.name))]
}

pub(crate) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match cell(row, column) {
        Cell::Text(text) | Cell::Json(text) => text,
        other => panic!("{column} is {other:?}"),
    }
}

pub(crate) fn int(row: &Row, column: &str) -> i64 {
    match cell(row, column) {
        Cell::Int(value) => *value,
        other => panic!("{column} is {other:?}"),
    }
}
