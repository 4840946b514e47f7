//! How rare a value is among those before it, far into the tail.
//!
//! A decayed histogram with four buckets per octave: inside, the share of values that were as large; above
//! the [`TAIL_SHARE`] quantile, where too few are, a Pareto tail fitted to them (the estimator of Hill, A
//! simple general approach to inference about the tail of a distribution, 1975). So a value ten times as
//! large as any before is rarer than one that is twice as large, which counting alone cannot tell.

use crate::state::{Fields, StateError, Visit};

/// Buckets: eleven octaves from 2^-4 to 2^7. A value is a multiple of a usual deviation. Below a sixteenth
/// of one nothing is told apart: means kept as `f32` err by so much of the smallest deviation. Beyond 128,
/// nothing is rarer: the bound keeps one outlier from widening the fitted tail. Measured, standard profile,
/// mean over 6 to 16 variations of all constants by up to 15 %: up to 2^20 67.0, 2^12 69.0, 2^8 69.6, 2^7
/// 69.8, 2^5 the same.
const BUCKETS: usize = 44;
const PER_OCTAVE: f64 = 4.0;
const LOWEST_LOG2: f64 = -4.0;

/// Values after which all counts are halved: 24 days of five-minute points. 4,000 costs 1 to 3 points, the
/// season of a month is not reached.
const MEMORY: u32 = 7000;

/// Share of the values that make up the tail. 3 % costs 2, 5 % 6 points.
const TAIL_SHARE: f64 = 0.02;

/// Weight of one value: halving then keeps fractions down to an eighth.
const UNIT: u16 = 8;

/// Values without which nothing is rare.
const LEAST: f64 = 10.0;

/// The histogram.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tail {
    counts: [u16; BUCKETS],
    total: u32,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            total: 0,
        }
    }

    /// Returns -log10 of the probability of a value as large or larger: 0 and up.
    pub(super) fn surprise(&self, value: f64) -> f64 {
        let values = f64::from(self.total) / f64::from(UNIT);
        if values < LEAST {
            return 0.0;
        }
        let log2 = log2(value);
        let count = |buckets: &[u16]| buckets.iter().map(|count| u32::from(*count)).sum::<u32>();
        let (edge, above) = self.edge();
        let edge_log2 = LOWEST_LOG2 + edge as f64 / PER_OCTAVE;
        if log2 <= edge_log2 {
            let between = count(self.counts.get(bucket(log2)..edge).unwrap_or_default());
            return -log10_share(above + between, values);
        }
        // Mean excess of the tail over its edge, in octaves, with a quarter of one bucket before anything
        // is known.
        let mut excess = 0.0;
        for (nth, count) in self.counts[edge..].iter().enumerate() {
            excess += f64::from(*count) * (nth as f64 + 0.5);
        }
        let excess = excess / f64::from(UNIT) / PER_OCTAVE;
        let tail = f64::from(above) / f64::from(UNIT);
        let mean = (excess + 1.0 / PER_OCTAVE) / (tail + 1.0);
        -log10_share(above, values) + (log2 - edge_log2) / mean * std::f64::consts::LOG10_2
    }

    /// Returns the first bucket of the tail and the count from it on.
    fn edge(&self) -> (usize, u32) {
        let wanted = TAIL_SHARE * f64::from(self.total);
        let mut above = 0;
        for (bucket, count) in self.counts.iter().enumerate().rev() {
            above += u32::from(*count);
            if f64::from(above) >= wanted {
                return (bucket, above);
            }
        }
        (0, above)
    }

    pub(super) fn add(&mut self, value: f64) {
        let count = &mut self.counts[bucket(log2(value))];
        *count = count.saturating_add(UNIT);
        self.total += u32::from(UNIT);
        if self.total > MEMORY * u32::from(UNIT) {
            for count in &mut self.counts {
                *count /= 2;
            }
            self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
    }
}

impl Fields for Tail {
    fn fields(&mut self, visit: &mut Visit<'_>) -> Result<(), StateError> {
        visit.numbers(&mut self.counts)?;
        self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
        Ok(())
    }
}

fn log2(value: f64) -> f64 {
    value.max(f64::MIN_POSITIVE).log2()
}

fn bucket(log2: f64) -> usize {
    // Negative numbers become 0.
    (((log2 - LOWEST_LOG2) * PER_OCTAVE) as usize).min(BUCKETS - 1)
}

/// Returns log10 of the share that `count` units are of `values`, at most 0; half a value is added, so that
/// it is never none.
fn log10_share(count: u32, values: f64) -> f64 {
    let share = (f64::from(count) / f64::from(UNIT) + 0.5) / (values + 1.0);
    share.log10().min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprise_is_the_share_of_larger_values_and_goes_on_beyond_them() {
        let mut tail = Tail::new();
        assert_eq!(tail.surprise(1e9), 0.0);
        for n in 0..1000 {
            tail.add(if n % 10 == 0 { 3.0 } else { 1.0 });
        }
        assert!(tail.surprise(0.0) < 0.001);
        assert!(
            (tail.surprise(2.0) - 1.0).abs() < 0.01,
            "{}",
            tail.surprise(2.0)
        );
        let beyond: Vec<f64> = [4.0, 8.0, 16.0, 1e6]
            .map(|value| tail.surprise(value))
            .into();
        assert!(
            beyond[0] > 1.0 && beyond.is_sorted_by(|a, b| a < b),
            "{beyond:?}"
        );
    }

    #[test]
    fn old_values_fade_and_counts_do_not_overflow() {
        let mut tail = Tail::new();
        for _ in 0..7000 {
            tail.add(8.0);
        }
        let before = tail.surprise(8.0);
        for _ in 0..100_000 {
            tail.add(1.0);
        }
        assert!(before < 0.01 && tail.surprise(8.0) > 3.0);
        assert!(tail.total <= (MEMORY + 1) * u32::from(UNIT));
    }
}
