//! From a row of a server to a row of ours, by name.
//!
//! The columns of every statement are called as the stored columns that they fill, and typed alike, so
//! that a [`Plan`] is all there is between them: no figure is named twice. A column that the table does
//! not have is for the caller (`reset`, `conn_hidden`, `blockers`). The tests hold every statement
//! against its table.

use schema::{Cell, CellType, Json, PgType, Role, Row, TableDef, Timestamp};
use tokio_postgres::Column;
use tokio_postgres::types::{FromSql, Type};

use super::text::{JsonText, Text};

/// From which column of an answer to which cell, and whose counters they are.
#[derive(Debug)]
pub(super) struct Plan {
    table: &'static TableDef,
    cells: Vec<(usize, usize, PgType)>,
    reset: Option<usize>,
}

impl Plan {
    /// Makes the plan for answers with these columns into this table.
    ///
    /// # Errors
    /// The name of a column whose type is not the one declared.
    pub(super) fn new(table: &'static TableDef, columns: &[Column]) -> Result<Self, String> {
        let mut cells = Vec::with_capacity(columns.len());
        let mut reset = None;
        for (from, column) in columns.iter().enumerate() {
            let declared = position(table, column.name());
            match declared {
                Some(to) if fits(table.columns[to].pg, column.type_()) => {
                    cells.push((from, to, table.columns[to].pg));
                }
                Some(_) => return Err(format!("{} is {}", column.name(), column.type_())),
                None if column.name() == "reset" => reset = Some(from),
                None => {}
            }
        }
        Ok(Self {
            table,
            cells,
            reset,
        })
    }

    /// Returns the table that is filled.
    pub(super) fn table(&self) -> &'static TableDef {
        self.table
    }

    /// Fills the cells that the answer has.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub(super) fn fill(
        &self,
        answer: &tokio_postgres::Row,
        draft: &mut Draft,
    ) -> Result<(), tokio_postgres::Error> {
        for &(from, to, pg) in &self.cells {
            draft.cells[to] = cell(answer, from, pg)?;
        }
        Ok(())
    }

    /// Returns the mark of the reset since which the counters of this answer count, if it has one.
    ///
    /// # Errors
    /// When it is not a text.
    pub(super) fn reset<'a>(
        &self,
        answer: &'a tokio_postgres::Row,
    ) -> Result<Option<&'a str>, tokio_postgres::Error> {
        self.reset.map_or(Ok(None), |at| answer.try_get(at))
    }
}

fn position(table: &TableDef, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.name == name)
}

fn fits(declared: PgType, found: &Type) -> bool {
    let expected = match declared {
        PgType::Float8 => Type::FLOAT8,
        PgType::Int8 => Type::INT8,
        PgType::Int4 => Type::INT4,
        PgType::Bool => Type::BOOL,
        PgType::Text | PgType::Jsonb => Type::TEXT,
        PgType::Timestamptz => Type::TIMESTAMPTZ,
    };
    *found == expected
}

fn cell(
    answer: &tokio_postgres::Row,
    at: usize,
    pg: PgType,
) -> Result<Cell, tokio_postgres::Error> {
    Ok(match pg {
        PgType::Float8 => answer.try_get::<_, Option<f64>>(at)?.into_cell(),
        PgType::Int8 => answer.try_get::<_, Option<i64>>(at)?.into_cell(),
        PgType::Int4 => answer.try_get::<_, Option<i32>>(at)?.into_cell(),
        PgType::Bool => answer.try_get::<_, Option<bool>>(at)?.into_cell(),
        PgType::Text => answer
            .try_get::<_, Option<Text>>(at)?
            .map_or(Cell::Null, |text| Cell::Text(text.0.into())),
        PgType::Jsonb => answer
            .try_get::<_, Option<JsonText>>(at)?
            .map(|text| Json(text.0))
            .into_cell(),
        PgType::Timestamptz => answer
            .try_get::<_, Option<Instant>>(at)?
            .and_then(|instant| instant.0)
            .into_cell(),
    })
}

/// A `timestamptz`; infinity is not an instant.
struct Instant(Option<Timestamp>);

impl<'a> FromSql<'a> for Instant {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        /// Microseconds from 1970 to 2000, where the server counts from.
        const EPOCH: i64 = 946_684_800_000_000;
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(match micros {
            i64::MIN | i64::MAX => None,
            _ => Some(Timestamp(micros.saturating_add(EPOCH))),
        }))
    }

    fn accepts(found: &Type) -> bool {
        *found == Type::TIMESTAMPTZ
    }
}

/// A row of ours while its cells come in.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    table: &'static TableDef,
    cells: Box<[Cell]>,
}

impl Draft {
    /// Begins with everything unknown.
    pub(super) fn new(table: &'static TableDef) -> Self {
        Self {
            table,
            cells: vec![Cell::Null; table.columns.len()].into_boxed_slice(),
        }
    }

    /// Sets a cell; one that the table does not have is left out, so that a context may name more.
    pub(super) fn set(&mut self, column: &str, value: impl CellType) {
        if let Some(at) = position(self.table, column) {
            self.cells[at] = value.into_cell();
        }
    }

    /// Returns the text in a cell, if there is one.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match &self.cells[position(self.table, column)?] {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Sets whose counters these are, or that nobody knows: then they are not given, as a step from one
    /// owner's count to another's would look like work.
    pub(super) fn set_epoch(&mut self, epoch: Option<&str>) {
        self.set("epoch", epoch.unwrap_or_default().to_owned());
        if epoch.is_none() {
            for (column, cell) in self.table.columns.iter().zip(&mut self.cells) {
                if column.role == Role::Counter && column.nullable {
                    *cell = Cell::Null;
                }
            }
        }
    }

    /// Returns the finished row.
    pub(super) fn into_row(self, ts: Timestamp) -> Row {
        Row {
            table: self.table,
            ts,
            cells: self.cells,
        }
    }
}
