//! Values, counts and spans of time as text, the same in findings, answers and sentences. Pure.

mod number;

pub use number::round;
use schema::micros::SECOND;
use schema::{Severity, Timestamp, Unit};
use std::fmt::Display;

/// Returns the word of a severity in a sentence: `warning`.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warn => "warning",
        severity => severity.as_str(),
    }
}

/// Formats a value with its unit, to about three digits.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{} %", short(value, 1)),
        Unit::Bytes => bytes(value),
        Unit::BytesPerSec => format!("{}/s", bytes(value)),
        Unit::PerSec => format!("{}/s", small(value)),
        Unit::Ms if value.abs() >= 1000.0 => format!("{} s", short(value / 1000.0, 1)),
        Unit::Ms => format!("{} ms", short(value, 1)),
        Unit::Us => format!("{} µs", short(value, 0)),
        Unit::Secs => duration(value),
        Unit::Bool => if value > 0.0 { "yes" } else { "no" }.to_owned(),
        Unit::Count | Unit::Ratio | Unit::Text | Unit::Time | Unit::None => small(value),
    }
}

fn short(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    // What is rounded to zero has no sign.
    match text {
        "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

/// Formats a number below 10 to three significant digits, others as integers or with one decimal.
fn small(value: f64) -> String {
    if value == 0.0 || value.abs() >= 100.0 {
        return short(value, 0);
    }
    if value.abs() >= 1.0 {
        return short(value, 1);
    }
    // Two significant digits, and no more where the second is 0.
    let zeros = (1..9)
        .take_while(|zeros| value.abs() < 0.1_f64.powi(*zeros))
        .count();
    let digits = (zeros + 2).min(9);
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = value;
    let mut at = 0;
    while value.abs() >= 1024.0 && at + 1 < UNITS.len() {
        value /= 1024.0;
        at += 1;
    }
    format!("{} {}", short(value, usize::from(at > 0)), UNITS[at])
}

/// Formats a duration: `45 s`, `12 min`, `3 h`, `4 d`.
#[must_use]
pub fn duration(secs: f64) -> String {
    match secs.abs() {
        s if s < 120.0 => format!("{} s", short(secs, 0)),
        s if s < 7_200.0 => format!("{} min", short(secs / 60.0, 0)),
        s if s < 172_800.0 => format!("{} h", short(secs / 3_600.0, 0)),
        _ => format!("{} d", short(secs / 86_400.0, 0)),
    }
}

/// Lowercases the first letter, unless the word is an abbreviation.
#[must_use]
pub fn within_sentence(text: &str) -> String {
    let word = text.split([' ', '-']).next().unwrap_or_default();
    let mut chars = word.chars();
    let is_plain = chars.next().is_some_and(char::is_uppercase)
        && chars.next().is_some()
        && word.chars().skip(1).all(char::is_lowercase);
    if !is_plain {
        return text.to_owned();
    }
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    first.chain(chars).collect()
}

/// Truncates a text to `longest` characters, the last of which is then an ellipsis.
#[must_use]
pub fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// Formats a count with the noun that agrees with it: `1 thing`, `2 things`.
#[must_use]
pub fn counted<N: Display + PartialEq + From<u8>>(n: N, thing: &str) -> String {
    let plural = if n == N::from(1) { "" } else { "s" };
    format!("{n} {thing}{plural}")
}

/// Formats a span as the whole number of seconds, minutes, hours or days that covers it: `within 33 s`, `within 5 min`.
#[must_use]
pub fn within((first, last): (Timestamp, Timestamp)) -> String {
    let secs = (last.as_micros() - first.as_micros()).max(0).unsigned_abs();
    let secs = secs.div_ceil(SECOND.unsigned_abs()).max(1);
    let (number, unit) = match secs {
        ..120 => (secs, "s"),
        120..7200 => (secs.div_ceil(60), "min"),
        7200..172_800 => (secs.div_ceil(3600), "h"),
        _ => (secs.div_ceil(86_400), "days"),
    };
    format!("within {number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_like_values() {
        for (number, unit, expected) in [
            (91.24, Unit::Percent, "91.2 %"),
            (90.0, Unit::Percent, "90 %"),
            (-0.003, Unit::Percent, "0 %"),
            (-0.4, Unit::Us, "0 µs"),
            (1536.0, Unit::Bytes, "1.5 KiB"),
            (12.0, Unit::Bytes, "12 B"),
            (3_250_000.0, Unit::BytesPerSec, "3.1 MiB/s"),
            (0.001_666, Unit::PerSec, "0.0017/s"),
            (0.1, Unit::PerSec, "0.1/s"),
            (0.0, Unit::PerSec, "0/s"),
            (2.5, Unit::Ratio, "2.5"),
            (4.0, Unit::Count, "4"),
            (5200.0, Unit::Ms, "5.2 s"),
            (0.0, Unit::Bool, "no"),
            (90.0, Unit::Secs, "90 s"),
            (600.0, Unit::Secs, "10 min"),
        ] {
            assert_eq!(value(number, unit), expected);
        }
    }

    #[test]
    fn a_noun_agrees_with_its_number() {
        assert_eq!(counted(1_i64, "line"), "1 line");
        assert_eq!(counted(0_i64, "line"), "0 lines");
        assert_eq!(counted(2_usize, "failed login"), "2 failed logins");
    }

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
    }

    #[test]
    fn abbreviations_keep_their_capitals() {
        assert_eq!(
            within_sentence("Memory used is 91 %"),
            "memory used is 91 %"
        );
        for text in [
            "CPU busy",
            "I/O wait",
            "TCP retransmits",
            "PostgreSQL main",
            "X y",
            "",
        ] {
            assert_eq!(within_sentence(text), text);
        }
    }
}
