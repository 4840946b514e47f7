//! Statistics of rank.

/// Returns the `q`-quantile (0 to 1) of some numbers, between ranks by the straight line (Hyndman and Fan's
/// type 7, as PostgreSQL's `percentile_cont`). `None` of nothing.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
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
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

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
