//! Where a metric is going: its slope without the daily season, and how sure that is.
//!
//! A straight line through a day with a season reads the morning as growth. So the season goes first: a
//! slot's mean over the days, after the slope from day to day is taken off. The line is fitted to the rest
//! by least squares.
//!
//! Successive hours resemble each other, so that n of them are worth fewer independent ones: n (1 - rho) /
//! (1 + rho), where rho is the correlation of successive residuals (Bayley and Hammersley, The "effective"
//! number of independent observations in an autocorrelated time series, 1946). Without it most random walks
//! have a "significant" trend.

use crate::order::{is_present, median};

/// Hours of a day, the season that is taken off.
const DAY: usize = 24;

/// Hours without which nothing is said: two days, the least from which a season and a slope can be told apart.
pub const LEAST_HOURS: usize = 2 * DAY;

/// Confidence from which a direction is stated.
pub const SURE: f64 = 0.95;

/// Which way a metric goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It grows.
    Rising,
    /// It shrinks.
    Falling,
    /// Neither is sure.
    Flat,
}

/// A straight line through the deseasonalised series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change per hour.
    pub slope: f64,
    /// Standard error of the slope, with dependence taken into account.
    pub error: f64,
    /// How sure it is that the slope is not 0, from 0 to 1 (one less the two-sided probability).
    pub confidence: f64,
    /// Direction, [`SURE`] or flat.
    pub direction: Direction,
    /// Share of the variance, season included, that the line explains. It says nothing about skill; see
    /// [`crate::forecast::Forecaster::mase`].
    pub r_squared: f64,
    /// Hours with a value.
    pub count: usize,
}

impl Trend {
    /// Returns the trend of hourly values, oldest first; what is not finite is absent. `None` when fewer
    /// than [`LEAST_HOURS`] are present.
    #[must_use]
    pub fn of(hours: &[f64]) -> Option<Self> {
        let hours = &present(hours)[..];
        let count = hours.iter().filter(|value| value.is_finite()).count();
        if count < LEAST_HOURS {
            return None;
        }
        let season = Season::of(hours)?;
        let rest: Vec<f64> = season.without(hours).collect();
        let line = Line::through(&rest)?;
        // One value in 24 went into each slot of the season.
        let freedom = (count.saturating_sub(DAY + 2)).max(1) as f64;
        let rho = correlation(
            rest.iter()
                .enumerate()
                .map(|(hour, value)| value - line.at(hour)),
        );
        let independent = freedom * (1.0 - rho) / (1.0 + rho);
        let error = (line.squares / independent.max(1.0) / line.spread).sqrt();
        let confidence = if error > 0.0 {
            1.0 - statrs::function::erf::erfc(
                line.slope.abs() / error * std::f64::consts::FRAC_1_SQRT_2,
            )
        } else if line.slope == 0.0 {
            0.0
        } else {
            1.0
        };
        let total = variation(hours);
        Some(Self {
            slope: line.slope,
            error,
            confidence,
            direction: match line.slope {
                _ if confidence < SURE => Direction::Flat,
                slope if slope > 0.0 => Direction::Rising,
                _ => Direction::Falling,
            },
            r_squared: if total > 0.0 {
                (line.slope * line.slope * line.spread / total).clamp(0.0, 1.0)
            } else {
                0.0
            },
            count,
        })
    }
}

/// What the hours of a day add to the level; it sums to 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Season([f64; DAY]);

impl Season {
    /// Returns the season of hourly values, after the slope from day to day is taken off: for each slot the
    /// median.
    pub(crate) fn of(hours: &[f64]) -> Option<Self> {
        let slope = day_over_day(hours).unwrap_or(0.0);
        let mut slots: Vec<Vec<f64>> = vec![Vec::new(); DAY];
        for (hour, value) in hours.iter().enumerate() {
            if value.is_finite() {
                slots[hour % DAY].push(value - slope * hour as f64);
            }
        }
        let medians: Vec<f64> = slots.iter().filter_map(|slot| median(slot)).collect();
        // An hour of the day without values: nothing is known of the season.
        let mut season: [f64; DAY] = medians.try_into().ok()?;
        let mean = season.iter().sum::<f64>() / DAY as f64;
        season.iter_mut().for_each(|slot| *slot -= mean);
        Some(Self(season))
    }

    /// Returns what an hour adds, counted as the values were.
    pub(crate) fn at(&self, hour: usize) -> f64 {
        self.0[hour % DAY]
    }

    pub(crate) fn without<'a>(&'a self, hours: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let hours = hours.iter().enumerate();
        hours.map(|(hour, value)| value - self.at(hour))
    }
}

/// Returns hourly values with NaN for every one that is absent.
pub(crate) fn present(hours: &[f64]) -> Vec<f64> {
    let present = |value: &f64| if is_present(*value) { *value } else { f64::NAN };
    hours.iter().map(present).collect()
}

/// Returns the slope per hour by the median change from one day to the next at the same hour: a season has
/// no part in it, and neither has a jump that is younger than half of the values.
pub(crate) fn day_over_day(hours: &[f64]) -> Option<f64> {
    let later = hours.iter().skip(DAY);
    let changes = hours
        .iter()
        .zip(later)
        .map(|(before, after)| after - before);
    let changes: Vec<f64> = changes.filter(|change| change.is_finite()).collect();
    Some(median(&changes)? / DAY as f64)
}

/// A line by least squares, over the values that are finite.
struct Line {
    slope: f64,
    mean: f64,
    middle: f64,
    /// Sum of the squared distances of the hours from their middle.
    spread: f64,
    /// Sum of the squared residuals.
    squares: f64,
}

impl Line {
    fn through(values: &[f64]) -> Option<Self> {
        let points = || {
            values
                .iter()
                .enumerate()
                .filter(|(_, value)| value.is_finite())
        };
        let count = points().count() as f64;
        let middle = points().map(|(hour, _)| hour as f64).sum::<f64>() / count;
        let mean = points().map(|(_, value)| value).sum::<f64>() / count;
        let distance = |hour: usize| hour as f64 - middle;
        let spread: f64 = points().map(|(hour, _)| distance(hour).powi(2)).sum();
        let product: f64 = points()
            .map(|(hour, value)| distance(hour) * (value - mean))
            .sum();
        let slope = product / spread;
        if !(slope.is_finite() && mean.is_finite()) {
            return None;
        }
        let mut line = Self {
            slope,
            mean,
            middle,
            spread,
            squares: 0.0,
        };
        line.squares = points()
            .map(|(hour, value)| (value - line.at(hour)).powi(2))
            .sum();
        Some(line)
    }

    fn at(&self, hour: usize) -> f64 {
        self.mean + self.slope * (hour as f64 - self.middle)
    }
}

/// Returns the correlation of successive values, 0 to 0.99; pairs with an absent one do not count.
fn correlation(values: impl Iterator<Item = f64>) -> f64 {
    let (mut product, mut square) = (0.0, 0.0);
    let mut before = f64::NAN;
    for value in values {
        if before.is_finite() && value.is_finite() {
            product += before * value;
            square += before * before;
        }
        before = value;
    }
    let rho: f64 = if square > 0.0 { product / square } else { 0.0 };
    rho.clamp(0.0, 0.99)
}

/// Returns the sum of squared distances from the mean.
fn variation(values: &[f64]) -> f64 {
    let present = || values.iter().filter(|value| value.is_finite());
    let mean = present().sum::<f64>() / present().count() as f64;
    present().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn season(hour: usize) -> f64 {
        20.0 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin()
    }

    #[test]
    fn a_season_is_no_trend_and_hides_none() {
        for (slope, direction) in [
            (0.0, Direction::Flat),
            (0.05, Direction::Rising),
            (-0.05, Direction::Falling),
        ] {
            // It ends in the middle of the rising half of a day.
            let hours: Vec<f64> = (0..171)
                .map(|hour| {
                    50.0 + season(hour) + slope * hour as f64 + (hour * 7 % 11) as f64 * 0.1
                })
                .collect();
            let trend = Trend::of(&hours).unwrap();
            assert_eq!(trend.direction, direction, "{trend:?}");
            assert!((trend.slope - slope).abs() < 0.005, "{trend:?}");
        }
    }

    #[test]
    fn what_is_absent_is_left_out_and_two_days_are_the_least() {
        let mut hours: Vec<f64> = (0..72).map(|hour| f64::from(hour) * 0.5).collect();
        assert!((Trend::of(&hours).unwrap().slope - 0.5).abs() < 1e-9);
        for hour in (0..24).step_by(2) {
            hours[hour] = f64::NAN;
        }
        let trend = Trend::of(&hours).unwrap();
        assert_eq!(trend.count, 60);
        assert!((trend.slope - 0.5).abs() < 1e-9);
        assert_eq!(Trend::of(&hours[..47]), None);
        assert_eq!(Trend::of(&[f64::NAN; 100]), None);
        let flat = Trend::of(&[3.0; 100]).unwrap();
        assert_eq!(
            (flat.slope, flat.confidence, flat.direction),
            (0.0, 0.0, Direction::Flat)
        );
    }

    #[test]
    fn a_wandering_series_has_rarely_a_sure_trend() {
        let mut dice = 1_u64;
        let mut roll = || {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as f64 / (1_u64 << 31) as f64 - 0.5
        };
        let mut sure = 0;
        for _ in 0..200 {
            let mut level = 0.0;
            let hours: Vec<f64> = (0..168)
                .map(|_| {
                    level = 0.8 * level + roll();
                    level
                })
                .collect();
            sure += usize::from(Trend::of(&hours).unwrap().direction != Direction::Flat);
        }
        // Least squares without the correction finds one in every other series.
        assert!(sure <= 40, "{sure} of 200");
    }

    proptest! {
        #[test]
        fn what_is_said_is_finite(values in prop::collection::vec(prop::num::f64::ANY, 0..200)) {
            if let Some(trend) = Trend::of(&values) {
                let numbers = [trend.slope, trend.error, trend.confidence, trend.r_squared];
                prop_assert!(numbers.into_iter().all(f64::is_finite), "{trend:?}");
            }
        }

        #[test]
        fn slopes_stretch_with_the_values(values in prop::collection::vec(-100.0_f64..100.0, 60..200), shift in -1e4_f64..1e4, scale in 0.1_f64..10.0) {
            let one = Trend::of(&values).unwrap();
            let moved: Vec<f64> = values.iter().map(|value| value * scale + shift).collect();
            let other = Trend::of(&moved).unwrap();
            prop_assert!((one.slope * scale - other.slope).abs() < 1e-7 * scale);
            prop_assert!((one.confidence - other.confidence).abs() < 1e-6);
            prop_assert!((0.0..=1.0).contains(&one.confidence) && (0.0..=1.0).contains(&one.r_squared));
        }
    }
}
