//! A value in a table.

use std::cmp::Ordering;

use schema::Timestamp;
use serde::Serialize;
use ts_rs::TS;

/// A value in a table.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(untagged)]
#[ts(type = "number | string | boolean | null")]
pub enum Cell {
    /// Unknown.
    Null,
    /// A whole number, or an instant in milliseconds since the epoch.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    Text(String),
}

impl Cell {
    /// Makes a cell of an optional value.
    pub fn of<T>(value: Option<T>, make: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, make)
    }

    /// Makes a cell of optional text.
    #[must_use]
    pub fn text(value: Option<String>) -> Self {
        Self::of(value, Self::Text)
    }

    /// Makes a cell of an optional instant.
    #[must_use]
    pub fn time(value: Option<Timestamp>) -> Self {
        Self::of(value, |at| Self::Int(at.as_millis()))
    }

    /// Returns whether it is unknown.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Compares numbers by value and text case-insensitively; unknown comes first.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        #[expect(clippy::cast_precision_loss, reason = "for sorting only")]
        fn number(cell: &Cell) -> Option<f64> {
            match cell {
                Cell::Int(value) => Some(*value as f64),
                Cell::Float(value) => Some(*value),
                Cell::Bool(value) => Some(f64::from(u8::from(*value))),
                Cell::Null | Cell::Text(_) => None,
            }
        }
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a
                .to_lowercase()
                .cmp(&b.to_lowercase())
                .then_with(|| a.cmp(b)),
            _ => match (number(self), number(other)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
        }
    }
}

impl From<schema::Cell> for Cell {
    fn from(cell: schema::Cell) -> Self {
        match cell {
            schema::Cell::Null => Self::Null,
            schema::Cell::Float(value) => Self::Float(words::round(value)),
            schema::Cell::Int(value) => Self::Int(value),
            schema::Cell::Bool(value) => Self::Bool(value),
            schema::Cell::Text(text) | schema::Cell::Json(text) => Self::Text(text.into_string()),
            schema::Cell::Time(at) => Self::Int(at.as_millis()),
        }
    }
}
