//! How unlikely a count is.
//!
//! Events that come by themselves are counted as Poisson has it: their variance is their mean. Those of
//! a computer come in bundles, so the variance is a multiple of it, the *dispersion* (variance over
//! mean, at least 1). A count of given mean and dispersion is taken as negative binomial, whose
//! dispersion is that of its parts at any length of time, as long as bundles are shorter than it.

use statrs::function::{beta, gamma};

/// The largest surprise that can be distinguished: -log10 of the smallest probability.
pub const MAX_SURPRISE: f64 = 300.0;

/// Dispersion below which bundles make no difference.
const ALONE: f64 = 1.001;

/// Returns how unlikely it is to count `count` or more where `mean` are usual: -log10 of the probability, 0 to
/// [`MAX_SURPRISE`].
#[must_use]
pub fn surprise(count: u64, mean: f64, dispersion: f64) -> f64 {
    let probability = at_least(count, mean, dispersion);
    if probability > 0.0 {
        (-probability.log10()).clamp(0.0, MAX_SURPRISE)
    } else {
        MAX_SURPRISE
    }
}

/// Returns the probability of `count` or more: the upper tail of a negative binomial with this mean and
/// dispersion, of a Poisson where the dispersion is 1 or less.
#[must_use]
pub fn at_least(count: u64, mean: f64, dispersion: f64) -> f64 {
    if count == 0 {
        return 1.0;
    }
    if mean <= 0.0 || mean.is_nan() {
        return 0.0;
    }
    let count = count as f64;
    let tail = if dispersion <= ALONE {
        gamma::checked_gamma_lr(count, mean).ok()
    } else {
        // Successes before `size` failures, each a success with probability `share`.
        let (size, share) = (mean / (dispersion - 1.0), 1.0 - 1.0 / dispersion);
        beta::checked_beta_reg(count, size, share).ok()
    };
    // Outside the domain of the functions nothing is unlikely.
    tail.filter(|tail| tail.is_finite())
        .map_or(1.0, |tail| tail.clamp(0.0, 1.0))
}

/// Returns the variance over mean of counts about what was expected of each, at least 1; 1 where nothing is.
/// Gives `None` when the slices differ in length or are empty.
#[must_use]
pub fn dispersion(counts: &[f64], expected: &[f64]) -> Option<f64> {
    if counts.len() != expected.len() || counts.is_empty() {
        return None;
    }
    let pairs = counts.iter().zip(expected);
    let squares: f64 = pairs.map(|(count, mean)| (count - mean).powi(2)).sum();
    let means: f64 = expected.iter().sum();
    Some(if means > 0.0 {
        (squares / means).max(1.0)
    } else {
        1.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sums of the probabilities themselves.
    fn summed(count: u64, mean: f64, dispersion: f64) -> f64 {
        let share = 1.0 - 1.0 / dispersion;
        let size = mean / (dispersion - 1.0);
        let (mut term, mut below) = ((1.0 - share).powf(size), 0.0);
        for n in 0..count {
            below += term;
            term *= (n as f64 + size) / (n as f64 + 1.0) * share;
        }
        1.0 - below
    }

    #[test]
    fn tails_are_those_of_the_books() {
        for (count, mean, dispersion, expected) in [
            (0, 3.0, 1.0, 1.0),
            // 1 - e^-1
            (1, 1.0, 1.0, 0.632_120_558_8),
            (5, 1.0, 1.0, 0.003_659_846_8),
            (10, 3.0, 1.0, 0.001_102_488_1),
            // Geometric: mean 1, variance 2, P(N >= k) = 2^-k.
            (3, 1.0, 2.0, 0.125),
            (20, 1.0, 2.0, 9.536_743e-7),
            (5, 0.0, 1.0, 0.0),
        ] {
            let found = at_least(count, mean, dispersion);
            assert!(
                (found - expected).abs() <= 1e-6 * f64::max(expected, 1e-9),
                "{count} of {mean} at {dispersion}: {found}"
            );
        }
    }

    #[test]
    fn what_is_unknown_is_not_unlikely() {
        for (mean, dispersion) in [(f64::NAN, 1.0), (-1.0, 2.0), (0.0, f64::NAN)] {
            assert!(at_least(3, mean, dispersion).abs() < 1e-300);
        }
        assert!((surprise(1_000_000, 1.0, 1.0) - MAX_SURPRISE).abs() < 1e-9);
        assert!(surprise(0, 1.0, 1.0).abs() < 1e-9);
    }

    #[test]
    fn spread_of_counts() {
        assert_eq!(dispersion(&[], &[]), None);
        assert_eq!(dispersion(&[1.0], &[]), None);
        assert_eq!(dispersion(&[0.0, 0.0], &[0.0, 0.0]), Some(1.0));
        assert_eq!(dispersion(&[5.0, 5.0], &[5.0, 5.0]), Some(1.0));
        assert_eq!(dispersion(&[0.0, 10.0], &[5.0, 5.0]), Some(5.0));
    }

    proptest! {
        #[test]
        fn a_tail_is_the_rest_of_the_sum(count in 1_u64..60, mean in 0.1_f64..20.0, dispersion in 1.1_f64..12.0) {
            let (found, expected) = (at_least(count, mean, dispersion), summed(count, mean, dispersion));
            prop_assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        }

        #[test]
        fn more_is_odder_and_spread_makes_it_less_so(count in 2_u64..10_000, mean in 0.001_f64..1000.0, dispersion in 1.0_f64..500.0) {
            let here = surprise(count, mean, dispersion);
            prop_assert!(here.is_finite());
            prop_assert!(surprise(count + 1, mean, dispersion) >= here - 1e-6);
            if count as f64 > 4.0 * mean.max(1.0) * dispersion {
                prop_assert!(surprise(count, mean, dispersion * 2.0) <= here + 1e-6);
            }
        }
    }
}
