//! One sample on its way: cells of a declared table with the instant they were taken.

use crate::table::PgType;
use crate::{LogLevel, Severity, TableDef};

/// An instant: microseconds since 1970-01-01T00:00:00Z, the precision PostgreSQL keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Converts milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Returns milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

/// A JSON document as text. The producer guarantees that it is valid JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json(pub String);

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown. A figure that the kernel lacks is unknown, never 0.
    Null,
    /// `float8`; always finite, see [`CellType`].
    Float(f64),
    /// `int8` or `int4`.
    Int(i64),
    /// `bool`.
    Bool(bool),
    /// `text`, without NUL.
    Text(Box<str>),
    /// `jsonb`, as text.
    Json(Box<str>),
    /// `timestamptz`.
    Time(Timestamp),
}

/// A Rust type that a column can hold.
pub trait CellType {
    /// The PostgreSQL type of the column.
    const PG: PgType;
    /// Whether the column admits NULL.
    const NULLABLE: bool = false;
    /// Converts to a cell. A float that is not finite becomes [`Cell::Null`]: one NaN would turn every
    /// average over the column into NaN. NUL in text becomes U+2400, as PostgreSQL refuses it.
    fn into_cell(self) -> Cell;
}

impl CellType for f64 {
    const PG: PgType = PgType::Float8;
    fn into_cell(self) -> Cell {
        if self.is_finite() {
            Cell::Float(self)
        } else {
            Cell::Null
        }
    }
}

impl CellType for i64 {
    const PG: PgType = PgType::Int8;
    fn into_cell(self) -> Cell {
        Cell::Int(self)
    }
}

impl CellType for i32 {
    const PG: PgType = PgType::Int4;
    fn into_cell(self) -> Cell {
        Cell::Int(i64::from(self))
    }
}

impl CellType for bool {
    const PG: PgType = PgType::Bool;
    fn into_cell(self) -> Cell {
        Cell::Bool(self)
    }
}

impl CellType for String {
    const PG: PgType = PgType::Text;
    fn into_cell(self) -> Cell {
        let text = if self.contains('\0') {
            self.replace('\0', "\u{2400}")
        } else {
            self
        };
        Cell::Text(text.into_boxed_str())
    }
}

impl CellType for LogLevel {
    const PG: PgType = PgType::Text;
    fn into_cell(self) -> Cell {
        Cell::Text(self.as_str().into())
    }
}

impl CellType for Severity {
    const PG: PgType = PgType::Text;
    fn into_cell(self) -> Cell {
        Cell::Text(self.as_str().into())
    }
}

impl CellType for Json {
    const PG: PgType = PgType::Jsonb;
    fn into_cell(self) -> Cell {
        Cell::Json(self.0.into_boxed_str())
    }
}

impl CellType for Timestamp {
    const PG: PgType = PgType::Timestamptz;
    fn into_cell(self) -> Cell {
        Cell::Time(self)
    }
}

impl<T: CellType> CellType for Option<T> {
    const PG: PgType = T::PG;
    const NULLABLE: bool = true;
    fn into_cell(self) -> Cell {
        self.map_or(Cell::Null, T::into_cell)
    }
}

/// One sample of a table: the instant and the cells in the order of [`TableDef::columns`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table this row belongs to.
    pub table: &'static TableDef,
    /// When the sample was taken; the first column of every table.
    pub ts: Timestamp,
    /// One cell for each column.
    pub cells: Box<[Cell]>,
}

/// A typed sample of a declared table, implemented by [`metric_table!`](crate::metric_table).
pub trait Sample: Sized {
    /// The declaration.
    const TABLE: &'static TableDef;

    /// Converts to cells in the order of the columns.
    fn into_cells(self) -> Box<[Cell]>;

    /// Converts to the row of an instant.
    fn into_row(self, ts: Timestamp) -> Row {
        Row {
            table: Self::TABLE,
            ts,
            cells: self.into_cells(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_that_are_not_finite_are_unknown() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(value.into_cell(), Cell::Null);
        }
        assert_eq!(1.5.into_cell(), Cell::Float(1.5));
    }

    #[test]
    fn nul_in_text_becomes_its_picture() {
        assert_eq!(
            "a\0b".to_owned().into_cell(),
            Cell::Text("a\u{2400}b".into())
        );
    }

    #[test]
    fn milliseconds_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp(-1).as_millis(), -1);
        assert_eq!(Timestamp(1999).as_millis(), 1);
    }
}
