//! The cells of a row by the names of their columns.

use schema::{Cell, Row};

/// A row of a declared table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Row);

impl<'a> Fields<'a> {
    fn cell(self, name: &str) -> Option<&'a Cell> {
        let columns = self.0.table.columns.iter();
        let place = columns.enumerate().find(|(_, column)| column.name == name);
        self.0.cells.get(place?.0)
    }

    /// Returns a text; empty where it is NULL.
    pub(crate) fn text(self, name: &str) -> &'a str {
        match self.cell(name) {
            Some(Cell::Text(text)) => text,
            _ => "",
        }
    }

    /// Returns a number.
    #[expect(clippy::cast_precision_loss, reason = "figures are far below 2^53")]
    pub(crate) fn number(self, name: &str) -> Option<f64> {
        match self.cell(name)? {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns an integer.
    pub(crate) fn int(self, name: &str) -> Option<i64> {
        match self.cell(name)? {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns yes or no.
    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        match self.cell(name)? {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }
    }
}
