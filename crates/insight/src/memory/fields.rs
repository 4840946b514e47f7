//! The cells of a row by the columns of its table.

use schema::{Cell, Row, Sample, TableDef, Timestamp};

/// What names a column of a row: its name, or a [`Column`] where there are many rows.
pub(crate) trait Place: Copy {
    /// Returns the column of a table; `None` when it has none.
    fn column(self, table: &TableDef) -> Option<Column>;
}

/// A column of a declared table by its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(usize);

impl Column {
    /// Returns a column of the table of a sample. In a constant, a name that the table does not have is an error when
    /// the program is compiled.
    pub(crate) const fn of<S: Sample>(name: &str) -> Self {
        let columns = S::TABLE.columns;
        let mut position = 0;
        while position < columns.len() {
            if is_equal(columns[position].name, name) {
                return Self(position);
            }
            position += 1;
        }
        panic!("the table has no such column")
    }
}

impl Place for Column {
    fn column(self, _: &TableDef) -> Option<Self> {
        Some(self)
    }
}

impl Place for &str {
    fn column(self, table: &TableDef) -> Option<Column> {
        let mut columns = table.columns.iter();
        columns.position(|column| column.name == self).map(Column)
    }
}

/// Compares two texts, in a constant.
const fn is_equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A row of a declared table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Row);

impl<'a> Fields<'a> {
    fn cell(self, place: impl Place) -> Option<&'a Cell> {
        let Column(position) = place.column(self.0.table)?;
        self.0.cells.get(position)
    }

    /// Returns a text; empty where it is NULL.
    pub(crate) fn text(self, place: impl Place) -> &'a str {
        match self.cell(place) {
            Some(Cell::Text(text)) => text,
            _ => "",
        }
    }

    /// Returns a JSON document; empty where it is NULL.
    pub(crate) fn json(self, place: impl Place) -> &'a str {
        match self.cell(place) {
            Some(Cell::Json(document)) => document,
            _ => "",
        }
    }

    /// Returns a number.
    #[expect(clippy::cast_precision_loss, reason = "figures are far below 2^53")]
    pub(crate) fn number(self, place: impl Place) -> Option<f64> {
        match self.cell(place)? {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns an integer.
    pub(crate) fn int(self, place: impl Place) -> Option<i64> {
        match self.cell(place)? {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns an instant.
    pub(crate) fn time(self, place: impl Place) -> Option<Timestamp> {
        match self.cell(place)? {
            Cell::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// Returns yes or no.
    pub(crate) fn flag(self, place: impl Place) -> Option<bool> {
        match self.cell(place)? {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::tables::TargetSample;

    #[test]
    fn a_column_is_the_same_by_name_and_by_position() {
        const TARGET: Column = Column::of::<TargetSample>("target");
        const UP: Column = Column::of::<TargetSample>("up");
        let sample = TargetSample {
            target: "api".to_owned(),
            up: true,
            ..TargetSample::default()
        };
        let row = sample.into_row(Timestamp(1));
        let fields = Fields(&row);
        assert_eq!((fields.text(TARGET), fields.text("target")), ("api", "api"));
        assert_eq!(
            (fields.flag(UP), fields.flag("up")),
            (Some(true), Some(true))
        );
        assert_eq!((fields.text("none"), fields.flag("target")), ("", None));
    }
}
