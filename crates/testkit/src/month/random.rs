//! Noise, and counters that it makes grow.

use crate::Dice;

/// Returns a number around 0 with a standard deviation of 1, at most 3.5 from it.
pub(super) fn gauss(dice: &mut Dice) -> f64 {
    let sum: f64 = (0..4).map(|_| dice.unit()).sum();
    (sum - 2.0) * 3.0_f64.sqrt()
}

/// A value that wanders around 0 with a standard deviation of 1: what is high now is likely to be high at the next tick.
#[derive(Clone, Debug, Default)]
pub(super) struct Wander(f64);

impl Wander {
    /// The share of the value that is left after a tick.
    const KEPT: f64 = 0.95;

    pub(super) fn next(&mut self, dice: &mut Dice) -> f64 {
        let new = (1.0 - Self::KEPT * Self::KEPT).sqrt();
        self.0 = Self::KEPT * self.0 + new * gauss(dice);
        self.0
    }
}

/// A counter since the start of what counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter(f64);

impl Counter {
    /// Adds about so much and returns the total.
    pub(super) fn add(&mut self, amount: f64, dice: &mut Dice) -> i64 {
        self.exactly(amount.max(0.0) * (0.8 + 0.4 * dice.unit()))
    }

    /// Adds exactly so much and returns the total.
    #[expect(clippy::cast_possible_truncation, reason = "totals are far below 2^53")]
    pub(super) fn exactly(&mut self, amount: f64) -> i64 {
        self.0 += amount.max(0.0);
        self.0 as i64
    }

    /// Returns the total as it is.
    pub(super) fn total(self) -> f64 {
        self.0
    }
}

/// Returns a count from a value; 0 for what is negative.
#[expect(clippy::cast_possible_truncation, reason = "counts are far below 2^53")]
pub(super) fn count(value: f64) -> i64 {
    value.max(0.0).round() as i64
}
