//! Means by slot of the day.

use crate::state::{Fields, StateError, Visit};

/// The share of a new value in a slot's mean, once a slot has ten: about the last ten days. 0.2 scores the
/// same.
const SHARE: f64 = 0.1;
/// Values of a slot that count one by one.
const FEW: u8 = 10;

/// Means of `N` slots. `f32` suffices: what is compared with a mean has a floor of a millionth of the level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slots<const N: usize> {
    means: [f32; N],
    seen: [u8; N],
}

impl<const N: usize> Slots<N> {
    pub(super) fn new() -> Self {
        Self {
            means: [0.0; N],
            seen: [0; N],
        }
    }

    /// Returns the mean of a slot that has had `least` values.
    pub(super) fn mean(&self, slot: usize, least: u8) -> Option<f64> {
        let seen = *self.seen.get(slot)?;
        (seen >= least).then(|| f64::from(self.means[slot]))
    }

    pub(super) fn add(&mut self, slot: usize, value: f64) {
        let (Some(seen), Some(mean)) = (self.seen.get_mut(slot), self.means.get_mut(slot)) else {
            return;
        };
        *seen = seen.saturating_add(1).min(FEW);
        let share = (1.0 / f64::from(*seen)).max(SHARE);
        let before = f64::from(*mean);
        *mean = (before + share * (value - before)) as f32;
    }
}

impl<const N: usize> Fields for Slots<N> {
    fn fields(&mut self, visit: &mut Visit<'_>) -> Result<(), StateError> {
        visit.numbers(&mut self.means)?;
        visit.numbers(&mut self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_the_mean_of_its_first_values_and_follows_the_later_ones() {
        let mut slots = Slots::<2>::new();
        assert_eq!(slots.mean(0, 1), None);
        for value in [1.0, 3.0] {
            slots.add(0, value);
        }
        assert_eq!(slots.mean(0, 2), Some(2.0));
        assert_eq!(
            (slots.mean(0, 3), slots.mean(1, 1), slots.mean(2, 0)),
            (None, None, None)
        );
        for _ in 0..200 {
            slots.add(0, 9.0);
        }
        assert!((slots.mean(0, 10).unwrap() - 9.0).abs() < 1e-3);
    }
}
