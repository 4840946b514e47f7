//! Since when a metric has its present level.
//!
//! A baseline over a month in whose middle a host got twice the memory is that of neither half. So what
//! lies before the last shift of the level is to be left out.
//!
//! # Method
//!
//! The values are daily medians, so that no single hour and no season of the day has a say. The weekly
//! season goes first: what a weekday usually adds to the median of the seven days around it. Then every day
//! is tried as the first of a new level, and the one that leaves the smallest sum of distances from the
//! medians before and after is taken, if these are five times as far apart as the days scatter
//! about them. The same is asked again of the days from there on, until there is no further shift.

use crate::order::{is_present, median, robust_spread};

/// Days of a week, the season that is taken off.
const WEEK: usize = 7;
/// Days that a level lasts at least, on both sides: with fewer it may be an incident, or a weekend.
pub const LEAST_DAYS: usize = 4;
/// Distance of two levels in spreads of the days about them. On a straight line the two halves are 2.7 apart.
const SURE_SPREADS: f64 = 5.0;
/// Part of the level that no spread is smaller than: a smaller shift changes nothing that anyone does.
const FLOOR_OF_LEVEL: f64 = 0.01;

/// Returns the first day of the present level among daily medians, oldest first; 0 when the level has not
/// shifted. What is not finite is absent.
#[must_use]
pub fn present_since(days: &[f64]) -> usize {
    let days = without_week(days);
    let mut since = 0;
    while let Some(first) = split(&days[since..]) {
        since += first;
    }
    since
}

/// Returns the days without what their weekday adds, with NaN for those that are absent.
fn without_week(days: &[f64]) -> Vec<f64> {
    // Distances from the week around: a shift concerns those of three days on either side only.
    let distances: Vec<f64> = (0..days.len())
        .map(|day| {
            let week = &days[day.saturating_sub(3)..(day + 4).min(days.len())];
            days[day] - median(&present(week)).unwrap_or(f64::NAN)
        })
        .collect();
    let weekday = |nth: usize| {
        let same: Vec<f64> = distances.iter().copied().skip(nth).step_by(WEEK).collect();
        median(&present(&same)).unwrap_or(0.0)
    };
    let weekdays: Vec<f64> = (0..WEEK).map(weekday).collect();
    let rest = |(day, value): (usize, &f64)| value - weekdays[day % WEEK];
    days.iter().enumerate().map(rest).collect()
}

fn present(days: &[f64]) -> Vec<f64> {
    days.iter()
        .copied()
        .filter(|day| is_present(*day))
        .collect()
}

/// Returns the first day of the second of two levels, if there are two.
fn split(days: &[f64]) -> Option<usize> {
    let last = days.len().checked_sub(LEAST_DAYS)?;
    let best = (LEAST_DAYS..=last)
        .filter_map(|first| Some((first, Halves::of(days, first)?)))
        .min_by(|(_, one), (_, other)| one.cost.total_cmp(&other.cost))?;
    let (first, halves) = best;
    halves.are_apart().then_some(first)
}

/// The days on both sides of one.
struct Halves {
    before: f64,
    after: f64,
    /// Sum of the distances from the two medians.
    cost: f64,
    spread: f64,
}

impl Halves {
    fn of(days: &[f64], first: usize) -> Option<Self> {
        let (mut early, mut late) = (present(&days[..first]), present(&days[first..]));
        if early.len() < LEAST_DAYS || late.len() < LEAST_DAYS {
            return None;
        }
        let (before, after) = (median(&early)?, median(&late)?);
        early.iter_mut().for_each(|day| *day -= before);
        late.iter_mut().for_each(|day| *day -= after);
        early.append(&mut late);
        Some(Self {
            before,
            after,
            cost: early.iter().map(|distance| distance.abs()).sum(),
            spread: robust_spread(&early)?,
        })
    }

    fn are_apart(&self) -> bool {
        let floor = FLOOR_OF_LEVEL * self.before.abs().max(self.after.abs());
        (self.after - self.before).abs() > SURE_SPREADS * self.spread.max(floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns numbers that look random, from -1 to 1 with most near 0.
    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut roll = move || {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as f64 / (1_u64 << 31) as f64 - 0.5
        };
        move || (roll() + roll() + roll()) * 2.0 / 3.0
    }

    /// Returns how often the present level of 30 days begins where it is said to, of 200 series.
    fn right(truth: usize, day: impl Fn(usize, f64) -> f64) -> usize {
        let found = |seed| {
            let mut noise = noise(seed);
            present_since(&(0..30).map(|nth| day(nth, noise())).collect::<Vec<_>>())
        };
        (0..200)
            .filter(|seed| found(*seed).abs_diff(truth) <= 1)
            .count()
    }

    fn weekend(day: usize) -> f64 {
        if day % 7 >= 5 { 0.4 } else { 1.0 }
    }

    #[test]
    fn shifts_are_found_and_nothing_else_is_one() {
        for (name, truth, day) in [
            (
                "noise",
                0,
                (|_, noise| 100.0 + 10.0 * noise) as fn(usize, f64) -> f64,
            ),
            ("growth", 0, |day, noise| 100.0 + day as f64 + noise),
            ("weekends", 0, |day, noise| {
                100.0 * weekend(day) + 2.0 * noise
            }),
            ("three bad days", 0, |day, noise| {
                100.0 + 2.0 * noise + if (12..15).contains(&day) { 80.0 } else { 0.0 }
            }),
            ("shift", 17, |day, noise| {
                100.0 + 3.0 * noise + if day >= 17 { 30.0 } else { 0.0 }
            }),
            ("young shift", 26, |day, noise| {
                100.0 + 3.0 * noise - if day >= 26 { 30.0 } else { 0.0 }
            }),
            ("shift and weekends", 14, |day, noise| {
                weekend(day) * (100.0 + 2.0 * noise) + if day >= 14 { 60.0 } else { 0.0 }
            }),
            ("two shifts", 22, |day, noise| {
                50.0 + 2.0 * noise
                    + if day >= 10 { 40.0 } else { 0.0 }
                    + if day >= 22 { 40.0 } else { 0.0 }
            }),
            ("there and back", 20, |day, noise| {
                50.0 + 2.0 * noise + if (9..20).contains(&day) { 40.0 } else { 0.0 }
            }),
        ] {
            let right = right(truth, day);
            println!("{name}: {right} of 200");
            assert!(right >= 190, "{name}: {right} of 200");
        }
    }

    #[test]
    fn what_is_too_short_or_absent_has_no_shift() {
        assert_eq!(present_since(&[]), 0);
        assert_eq!(present_since(&[1.0, 1.0, 1.0, 9.0, 9.0, 9.0]), 0);
        assert_eq!(present_since(&[f64::NAN; 40]), 0);
        assert_eq!(present_since(&[5.0; 40]), 0);
        let mut gap = [1.0; 20];
        gap[10..].fill(9.0);
        gap[8..12].fill(f64::NAN);
        assert!((8..=12).contains(&present_since(&gap)));
    }

    proptest! {
        #[test]
        fn the_present_lasts(days in prop::collection::vec(prop::num::f64::ANY, 0..60)) {
            let since = present_since(&days);
            prop_assert!(since == 0 || since + LEAST_DAYS <= days.len());
        }
    }
}
