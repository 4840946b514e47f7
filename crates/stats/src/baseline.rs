//! What is normal: the distribution of a metric over some days, as a table shows it.
//!
//! Mean and standard deviation are what the rest of the world uses; the robust spread (the median absolute
//! deviation, scaled to a standard deviation) is not moved by a few outliers, and is the one to judge by.

use crate::moment::{HOURS_OF_WEEK, Moment};
use crate::order::{is_present, quantile_of_sorted, robust_spread};

/// Values without which there is no baseline: with fewer, the percentiles are mere copies of the values.
pub const LEAST_VALUES: usize = 6;

/// A distribution. All numbers are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// Values that count.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of a sample (divided by the count less one).
    pub stddev: f64,
    /// Smallest value.
    pub min: f64,
    /// 5th percentile; percentiles lie between ranks, as those of PostgreSQL's `percentile_cont`.
    pub p5: f64,
    /// 25th percentile.
    pub p25: f64,
    /// Median.
    pub p50: f64,
    /// 75th percentile.
    pub p75: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Largest value.
    pub max: f64,
    /// Median distance from the median, scaled to the standard deviation of normal values.
    pub robust_spread: f64,
}

impl Baseline {
    /// Returns the distribution of values; `None` when fewer than [`LEAST_VALUES`] are present. NaN and
    /// infinity are absent, and so is what no metric has (from 1e100 on).
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let present = values.into_iter().filter(|value| is_present(*value));
        let mut sorted: Vec<f64> = present.collect();
        let count = sorted.len();
        if count < LEAST_VALUES {
            return None;
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (sorted[0], sorted[count - 1]);
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        let between = |q| quantile_of_sorted(&sorted, q);
        Some(Self {
            count,
            // Rounding must not put a mean outside the values.
            mean: mean.clamp(min, max),
            stddev: (squares / (count - 1) as f64).sqrt(),
            min,
            p5: between(0.05)?,
            p25: between(0.25)?,
            p50: between(0.5)?,
            p75: between(0.75)?,
            p95: between(0.95)?,
            max,
            robust_spread: robust_spread(&sorted)?,
        })
    }

    /// Returns the distance of a value from the mean in standard deviations; `None` without spread.
    #[must_use]
    pub fn z(&self, value: f64) -> Option<f64> {
        known((value - self.mean) / self.stddev)
    }

    /// Returns the distance of a value from the median in robust spreads; `None` without spread.
    #[must_use]
    pub fn robust_z(&self, value: f64) -> Option<f64> {
        known((value - self.p50) / self.robust_spread)
    }

    /// Returns the distance of a value from the mean in percent of the mean; `None` where the mean is 0.
    #[must_use]
    pub fn drift_pct(&self, value: f64) -> Option<f64> {
        known(100.0 * (value - self.mean) / self.mean.abs())
    }
}

/// Returns the baseline of each hour of the week, from Monday 00:00 in the host's time zone; `None` where
/// an hour has too few values.
#[must_use]
pub fn by_hour_of_week(values: impl IntoIterator<Item = (Moment, f64)>) -> Vec<Option<Baseline>> {
    let mut hours = vec![Vec::new(); HOURS_OF_WEEK];
    for (at, value) in values {
        hours[at.hour_of_week()].push(value);
    }
    hours.into_iter().map(Baseline::of).collect()
}

fn known(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::quantile;
    use proptest::prelude::*;

    #[test]
    fn figures_worked_out_by_hand() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let baseline = Baseline::of(values).unwrap();
        assert_eq!(baseline.count, 8);
        assert_eq!((baseline.mean, baseline.min, baseline.max), (5.0, 2.0, 9.0));
        assert!((baseline.stddev - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!((baseline.p25, baseline.p50, baseline.p75), (4.0, 4.5, 5.5));
        // Distances from 4.5: 2.5 0.5 0.5 0.5 0.5 0.5 2.5 4.5
        assert!((baseline.robust_spread - 0.5 * 1.482_602_218_5).abs() < 1e-9);
        assert!((baseline.z(9.0).unwrap() - 4.0 / baseline.stddev).abs() < 1e-12);
        assert_eq!(baseline.drift_pct(10.0), Some(100.0));
    }

    #[test]
    fn what_is_absent_does_not_count() {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let five = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(Baseline::of(five.into_iter().chain(odd)), None);
        let six = five.into_iter().chain([6.0]);
        assert_eq!(Baseline::of(six.clone().chain(odd)), Baseline::of(six));
    }

    #[test]
    fn without_spread_nothing_is_a_multiple_of_it() {
        let flat = Baseline::of([0.0; 6]).unwrap();
        assert_eq!(
            (flat.z(1.0), flat.robust_z(1.0), flat.drift_pct(1.0)),
            (None, None, None)
        );
        let negative = Baseline::of([-4.0; 6]).unwrap();
        assert_eq!(negative.drift_pct(-6.0), Some(-50.0));
    }

    #[test]
    fn hours_of_the_week_have_baselines_of_their_own() {
        let values = (0..6_u32).flat_map(|week| {
            (0..168_u32).map(move |hour| {
                let at = Moment::new((hour / 24) as u8, hour % 24 * 3600 + week);
                (at, f64::from(hour))
            })
        });
        let hours = by_hour_of_week(values.filter(|(at, _)| at.hour_of_week() != 5));
        assert_eq!(hours.len(), HOURS_OF_WEEK);
        assert_eq!(hours[5], None);
        assert_eq!(
            hours[167].map(|one| (one.count, one.mean)),
            Some((6, 167.0))
        );
    }

    proptest! {
        #[test]
        fn figures_are_ordered_and_finite(values in prop::collection::vec(prop::num::f64::ANY, 0..60)) {
            let present = values.iter().filter(|value| value.abs() < 1e100).count();
            let Some(one) = Baseline::of(values.iter().copied()) else {
                prop_assert!(present < LEAST_VALUES);
                return Ok(());
            };
            prop_assert_eq!(one.count, present);
            prop_assert!([one.min, one.p5, one.p25, one.p50, one.p75, one.p95, one.max].is_sorted());
            prop_assert!(one.min <= one.mean && one.mean <= one.max);
            prop_assert!(one.stddev.is_finite() && one.stddev >= 0.0 && one.robust_spread.is_finite());
        }

        #[test]
        fn figures_move_and_stretch_with_the_values(
            values in prop::collection::vec(-1e3_f64..1e3, 6..60), shift in -1e3_f64..1e3, scale in 0.01_f64..100.0,
        ) {
            let one = Baseline::of(values.iter().copied()).unwrap();
            let other = Baseline::of(values.iter().map(|value| value * scale + shift)).unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-8 * (1.0 + scale) * 1e3;
            prop_assert!(near(other.mean, one.mean * scale + shift) && near(other.stddev, one.stddev * scale));
            prop_assert!(near(other.p5, one.p5 * scale + shift) && near(other.robust_spread, one.robust_spread * scale));
            prop_assert!(near(one.p95, quantile(&values, 0.95).unwrap()));
        }

        #[test]
        fn one_outlier_does_not_move_the_robust_figures_far(values in prop::collection::vec(0.0_f64..1.0, 20..60)) {
            let one = Baseline::of(values.iter().copied().chain([1e12])).unwrap();
            prop_assert!(one.p50 <= 1.0 && one.robust_spread <= 2.0);
        }
    }
}
