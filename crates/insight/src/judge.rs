//! What a judge is. How often one runs is decided by what calls it: [`TickJudges`](crate::TickJudges) evaluates with every
//! batch of rows of a tick, the collector's job `findings` every few minutes and soon after something was stored.

use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Intervals;
use crate::memory::Memory;
use crate::rule::Rule;
use schema::{Row, TableDef, Timestamp};

/// Evaluates the rules that it owns. Evaluation is pure: whatever it looks at was fetched before, and `at` is a
/// parameter.
pub trait Judge {
    /// What it looks at.
    type Facts<'a>;

    /// Returns the rules that it owns.
    fn rules() -> impl Iterator<Item = &'static Rule>;

    /// Evaluates its rules up to `at`; `open` are the findings so far.
    fn evaluate(&mut self, facts: Self::Facts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation;
}

/// What judges of a tick look at.
#[derive(Debug)]
pub struct TickFacts<'a> {
    /// The newest rows of every collector.
    pub memory: &'a mut Memory,
    /// The rows that came now, in batches.
    pub rows: &'a [&'a [Row]],
    /// The sampling intervals.
    pub intervals: Intervals,
}

impl<'a> TickFacts<'a> {
    /// Lends what is looked at to one judge after the other.
    pub(crate) fn lend(&mut self) -> TickFacts<'_> {
        TickFacts {
            memory: self.memory,
            rows: self.rows,
            intervals: self.intervals,
        }
    }

    /// Returns the rows of a table that came now.
    pub(crate) fn rows_of(&self, table: &'static TableDef) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.iter().copied().flatten();
        rows.filter(move |row| row.table.name == table.name)
    }
}
