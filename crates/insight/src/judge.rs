//! What a judge is.

use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Intervals;
use crate::memory::Memory;
use crate::rule::Rule;
use schema::{Row, Timestamp};

/// How often a judge runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// With every batch of rows of a tick, from memory.
    EveryTick,
    /// Every few minutes, from what is stored, and soon after something was stored that it may find.
    Periodic,
}

/// Evaluates the rules that it owns. Evaluation is pure: whatever it looks at was fetched before, and `at` is a
/// parameter.
pub trait Judge {
    /// What it looks at.
    type Facts<'a>;

    /// How often it runs.
    const PACE: Pace;

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
