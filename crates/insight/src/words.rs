//! Counts and spans of time as text.

use schema::Timestamp;
use schema::micros::SECOND;

/// Formats a span as the whole number of seconds, minutes, hours or days that covers it: `within 33 s`, `within 5 min`.
#[must_use]
pub(crate) fn within((first, last): (Timestamp, Timestamp)) -> String {
    let secs = (last.as_micros() - first.as_micros()).max(0) as u64;
    let secs = secs.div_ceil(SECOND as u64).max(1);
    let (number, unit) = match secs {
        ..120 => (secs, "s"),
        120..7200 => (secs.div_ceil(60), "min"),
        7200..172_800 => (secs.div_ceil(3600), "h"),
        _ => (secs.div_ceil(86_400), "days"),
    };
    format!("within {number} {unit}")
}

/// Formats a number with the noun that agrees with it: `1 line`, `12 lines`.
#[must_use]
pub(crate) fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_given_in_the_unit_that_fits() {
        for (secs, expected) in [
            (-5, "within 1 s"),
            (0, "within 1 s"),
            (33, "within 33 s"),
            (119, "within 119 s"),
            (120, "within 2 min"),
            (121, "within 3 min"),
            (7199, "within 120 min"),
            (7200, "within 2 h"),
            (86_400, "within 24 h"),
            (172_800, "within 2 days"),
        ] {
            let span = (Timestamp(0), Timestamp(secs * SECOND));
            assert_eq!(within(span), expected);
        }
        assert_eq!(counted(1, "line", "lines"), "1 line");
        assert_eq!(counted(0, "line", "lines"), "0 lines");
    }
}
