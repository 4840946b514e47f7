//! Rounding of numbers.

/// Rounds a value to seven significant digits, so that the displayed value is the evaluated one, and no
/// invisible digits are sent.
#[must_use]
pub fn round(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a float is below 400"
    )]
    let digits = 6 - value.abs().log10().floor() as i32;
    if digits > 300 {
        return value;
    }
    let rounded = if digits >= 0 {
        let scale = 10f64.powi(digits);
        (value * scale).round() / scale
    } else {
        let scale = 10f64.powi(-digits);
        (value / scale).round() * scale
    };
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn seven_digits_stay() {
        for (value, expected) in [
            (0.0, 0.0),
            (85.0, 85.0),
            (85.000_000_01, 85.0),
            (91.234_567_89, 91.234_57),
            (-1.234_567_89, -1.234_568),
            (8_123_456_789.0, 8_123_457_000.0),
            (0.1 + 0.2, 0.3),
            (f64::NAN, 0.0),
            (1e-310, 1e-310),
        ] {
            assert!(
                (round(value) - expected).abs() < 1e-12 * expected.abs().max(1.0),
                "{value}"
            );
        }
        assert_eq!(round(0.1 + 0.2).to_string(), "0.3");
    }
}
