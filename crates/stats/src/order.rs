//! Statistics of rank, and which numbers count.

/// Numbers from this on are absent: sums of their squares overflow, and no metric has them.
const LARGEST: f64 = 1e100;

/// Tells whether a number counts: NaN, infinity and what is absurdly large is absent.
pub(crate) fn is_present(number: f64) -> bool {
    number.abs() < LARGEST
}

/// Returns the `q`-quantile (0 to 1) of some numbers, between ranks by the straight line (Hyndman and Fan's
/// type 7, as PostgreSQL's `percentile_cont`). `None` of nothing.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, q)
}

/// Returns the `q`-quantile of numbers that are sorted.
pub(crate) fn quantile_of_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let low = *sorted.get(below as usize)?;
    let high = *sorted.get((place.ceil() as usize).min(last))?;
    Some(low + (high - low) * (place - below))
}

/// Returns the number in the middle; of an even many, between the two. `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let mut values = values.to_vec();
    // By selection: of a week's pairs of hours there are many.
    let (below, high, _) = values.select_nth_unstable_by(last.div_ceil(2), f64::total_cmp);
    if last % 2 == 0 {
        return Some(*high);
    }
    let low = below.iter().copied().max_by(f64::total_cmp)?;
    Some(low + (*high - low) * 0.5)
}

/// Standard deviation of normal numbers in multiples of their median absolute deviation: 1 / (quantile of 3/4).
const SIGMA_OF_MAD: f64 = 1.482_602_218_505_602;

/// Returns the median distance from the median, scaled to the standard deviation of normal numbers: outliers hardly
/// move it. `None` of nothing.
#[must_use]
pub fn robust_spread(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some(median(&distances)? * SIGMA_OF_MAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_is_the_quantile_in_the_middle(values in prop::collection::vec(-1e6_f64..1e6, 0..40)) {
            prop_assert_eq!(median(&values), quantile(&values, 0.5));
        }
    }

    #[test]
    fn ranks() {
        for (values, q, expected) in [
            (&[][..], 0.5, None),
            (&[7.0], 0.99, Some(7.0)),
            (&[3.0, 1.0, 2.0], 0.5, Some(2.0)),
            (&[4.0, 1.0, 2.0, 3.0], 0.5, Some(2.5)),
            (&[1.0, 2.0, 3.0, 4.0, 5.0], 0.9, Some(4.6)),
            (&[1.0, 2.0], -3.0, Some(1.0)),
            (&[1.0, 2.0], 3.0, Some(2.0)),
        ] {
            assert_eq!(quantile(values, q), expected, "{values:?} at {q}");
        }
    }
}
