//! The time at the beginning of a text, in the forms that programs write.
//!
//! ```text
//! 2026-11-29T06:42:01.123Z   2026/11/29 06:42:01   2026-11-29 06:42:01,123 CET   2026.11.29 06:42:01
//! 29-Nov-2026 06:42:01.123   29/Nov/2026:06:42:01 +0100   29 Nov 2026 06:42:01.123   26/11/29 06:42:01
//! Sun Nov 29 06:42:01.123456 2026   Sun Nov 29 06:42:01 CET 2026   Nov 29, 2026 6:42:01 AM   Nov 29 06:42:01
//! 1795934521.123   1795934521123   @400000006b0c2f4707…   06:42:01.123 (of an unknown day)
//! ```
//!
//! What is recognised is taken from the text even if it is not known which instant it means: the zone
//! may have no meaning here, or the day may be missing. Such a line has no time.

use super::time::{self, Civil, Clock, Stamp, Zone};

/// A time that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// `None` when it is not known which instant is meant.
    pub(crate) stamp: Option<Stamp>,
    /// In which form.
    pub(crate) form: Form,
    /// As it is written.
    pub(crate) text: &'a str,
    /// What follows it.
    pub(crate) rest: &'a str,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A date and a time of day.
    Whole,
    /// The same to the letter of RFC 3339, with `T` and zone.
    Rfc3339,
    /// `Nov 29, 2026 6:42:01 AM`, as `java.util.logging` writes it before a line break.
    Java,
    /// Seconds since the epoch, without fraction.
    Seconds,
    /// Seconds since the epoch with a fraction, or a smaller unit.
    Fraction,
    /// A time of day alone.
    Clock,
}

/// Returns the time at the beginning of a text.
pub(crate) fn leading<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'0'..=b'9' => iso(text, clock)
            .or_else(|| day_first(text, clock))
            .or_else(|| short_year(text, clock))
            .or_else(|| month_and_day(text, clock))
            .or_else(|| epoch(text, clock))
            .or_else(|| time_alone(text)),
        b'A'..=b'Z' => match clock.same_short(text) {
            Some(stamp) => return Some(short(text, stamp)),
            None => week_day(text, clock).or_else(|| month_first(text, clock)),
        },
        b'@' => tai64n(text, clock),
        _ => None,
    }
    // `2026-11-23 00:10:491` is not a time.
    .filter(|found| !found.rest.starts_with(|c: char| c.is_alphanumeric()))
    .map(|found| Found {
        text: &text[..text.len() - found.rest.len()],
        ..found
    })
}

/// `Nov 29 06:42:01`
const SHORT: usize = 15;

/// Returns the time of the form `Nov 29 06:42:01` that a text begins with.
fn short(text: &str, stamp: Stamp) -> Found<'_> {
    let (text, rest) = text.split_at(SHORT);
    Found {
        stamp: Some(stamp),
        form: Form::Whole,
        text,
        rest,
    }
}

fn found<'a>(
    (civil, zone): (Civil, Zone<'_>),
    form: Form,
    rest: &'a str,
    clock: &mut Clock,
) -> Found<'a> {
    Found {
        stamp: clock.stamp(civil, zone),
        form,
        text: "",
        rest,
    }
}

fn iso<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let (civil, end) = time::iso(text)?;
    let (zone, length) = time::known_zone(&text[end..]);
    let strict = matches!(zone, Zone::Offset(_)) && text.as_bytes()[10] == b'T';
    let form = if strict { Form::Rfc3339 } else { Form::Whole };
    Some(found((civil, zone), form, &text[end + length..], clock))
}

/// Parses `29-Nov-2026 06:42:01`, with `/` or blanks as well, `29.11.2026 06:42:01`, `11/29/2026, 6:42:01 AM`.
fn day_first<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let (first, rest) = short_number(text)?;
    let separator = *rest.as_bytes().first()?;
    if !matches!(separator, b'-' | b'/' | b' ' | b'.') {
        return None;
    }
    let (day, month, rest) = day_and_month(first, separator, &rest[1..])?;
    let rest = rest
        .strip_prefix(char::from(separator))
        .or_else(|| rest.strip_prefix(' '))?;
    let (year, rest) = match rest.as_bytes() {
        [a, b, c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            (rest[..4].parse().ok()?, &rest[4..])
        }
        // `29 Nov 06:42:01`, as old releases of Redis write.
        _ if separator == b' ' => (clock.year_of(month, first)?, rest),
        _ => return None,
    };
    let rest = match rest.as_bytes() {
        [b':', b':', ..] | [b',', b' ', ..] => &rest[2..],
        [b':' | b' ' | b'T', ..] => &rest[1..],
        _ if separator == b' ' => rest,
        _ => return None,
    };
    let (of_day, end) = time::loose_time(rest)?;
    let (zone, length) = time::known_zone(&rest[end..]);
    let rest = &rest[end + length..];
    let Some(day) = day else {
        let (first_month, second_month) = (
            Civil::new((year, first, 1), of_day),
            Civil::new((year, month, 1), of_day),
        );
        first_month.or(second_month)?;
        return Some(Found {
            stamp: None,
            form: Form::Whole,
            text: "",
            rest,
        });
    };
    let civil = Civil::new((year, month, day), of_day)?;
    Some(found((civil, zone), Form::Whole, rest, clock))
}

/// Parses a number of one or two digits. Returns it and the rest.
fn short_number(text: &str) -> Option<(u8, &str)> {
    let is_long = text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let (digits, rest) = text.split_at_checked(if is_long { 2 } else { 1 })?;
    Some((digits.parse().ok()?, rest))
}

/// Returns day, month and the rest, where `first` is the number before the separator. The day is `None` if it is
/// not known which of the two numbers it is.
fn day_and_month(first: u8, separator: u8, rest: &str) -> Option<(Option<u8>, u8, &str)> {
    if let Some(month) = rest.get(..3).and_then(time::month) {
        return Some((Some(first), month, rest.get(3..)?));
    }
    let (second, rest) = short_number(rest)?;
    match separator {
        b'.' | b'-' => Some((Some(first), second, rest)),
        // With slashes the month comes first in America and the day elsewhere.
        b'/' if first > 12 => Some((Some(first), second, rest)),
        b'/' if second > 12 || first == second => Some((Some(second), first, rest)),
        b'/' => Some((None, second, rest)),
        _ => None,
    }
}

/// Parses `26/11/29 06:42:01` (Spark), `261129  6:42:01` (MySQL up to 5.6), `20261129 06:42:01`.
fn short_year<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let bytes = text.as_bytes();
    let digits = bytes
        .iter()
        .take(9)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (year, month, day, end) = match (digits, bytes.get(2)) {
        (2, Some(b'/')) if bytes.get(5) == Some(&b'/') => {
            let year = 2000 + i64::from(time::two(bytes, 0)?);
            (year, time::two(bytes, 3)?, time::two(bytes, 6)?, 8)
        }
        (6, _) => {
            let year = 2000 + i64::from(time::two(bytes, 0)?);
            (year, time::two(bytes, 2)?, time::two(bytes, 4)?, 6)
        }
        (8, _) => {
            let year = text.get(..4)?.parse().ok()?;
            (year, time::two(bytes, 4)?, time::two(bytes, 6)?, 8)
        }
        _ => return None,
    };
    if !matches!(bytes.get(end)?, b' ' | b'T' | b'-' | b':') {
        return None;
    }
    let rest = text.get(end + 1..)?;
    let (of_day, length) = match time::loose_time(rest) {
        Some(found) => found,
        // `064201.123`, as Zabbix writes.
        None if digits == 8 => {
            let bytes = rest.as_bytes();
            let of_day = (
                time::two(bytes, 0)?,
                time::two(bytes, 2)?,
                time::two(bytes, 4)?,
            );
            let padded = rest.get(6..)?;
            let fraction = match padded.strip_prefix('.') {
                Some(digits) => digits.bytes().take_while(u8::is_ascii_digit).count().min(6),
                None => 0,
            };
            let micros: u32 = match fraction {
                0 => 0,
                n => padded[1..=n].parse::<u32>().ok()? * 10_u32.pow(6 - u32::try_from(n).ok()?),
            };
            let length = 6 + fraction + usize::from(fraction > 0);
            ((of_day.0, of_day.1, of_day.2, micros), length)
        }
        None => return None,
    };
    let civil = Civil::new((year, month, day), of_day)?;
    let (zone, of_zone) = time::known_zone(&rest[length..]);
    let rest = &rest[length + of_zone..];
    Some(found((civil, zone), Form::Whole, rest, clock))
}

/// Parses `11-29 06:42:01.123`, as Android writes.
fn month_and_day<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let bytes = text.as_bytes();
    if bytes.get(2) != Some(&b'-') || bytes.get(5) != Some(&b' ') || bytes.get(14) != Some(&b'.') {
        return None;
    }
    let (month, day) = (time::two(bytes, 0)?, time::two(bytes, 3)?);
    let (of_day, end) = time::time_of_day(text.get(6..)?)?;
    let civil = Civil::new((clock.year_of(month, day)?, month, day), of_day)?;
    let rest = &text[6 + end..];
    Some(found((civil, Zone::Local), Form::Whole, rest, clock))
}

fn epoch<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let (seconds, micros, end, has_fraction) = time::epoch(text)?;
    if !clock.is_near(seconds) {
        return None;
    }
    let form = if has_fraction || end > 10 {
        Form::Fraction
    } else {
        Form::Seconds
    };
    Some(Found {
        stamp: Some(clock.epoch(seconds, micros)),
        form,
        text: "",
        rest: &text[end..],
    })
}

fn time_alone(text: &str) -> Option<Found<'_>> {
    let ((hour, minute, second, _), end) = time::time_of_day(text)?;
    (hour <= 23 && minute <= 59 && second <= 60).then_some(Found {
        stamp: None,
        form: Form::Clock,
        text: "",
        rest: &text[end..],
    })
}

/// Parses `Sun Nov 29 06:42:01 2026` as `ctime` writes it, `Sun, 29 Nov 2026 06:42:01 +0100` as mail does.
fn week_day<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    if !DAYS.contains(&text.get(..3)?) {
        return None;
    }
    if let Some(rest) = text[3..].strip_prefix(", ") {
        return day_first(rest, clock);
    }
    let rest = text[3..].strip_prefix(' ')?;
    let month = time::month(rest.get(..3)?)?;
    let (day, end) = time::day(rest, 3)?;
    let rest = rest.get(end..)?.strip_prefix(' ')?;
    let (of_day, end) = time::loose_time(rest)?;
    let (zone, length) = time::known_zone(&rest[end..]);
    let rest = rest[end + length..].strip_prefix(' ')?;
    let year: i64 = rest.get(..4)?.parse().ok()?;
    let civil = Civil::new((year, month, day), of_day)?;
    Some(found((civil, zone), Form::Whole, &rest[4..], clock))
}

/// Parses `Nov 29 06:42:01`, `Nov 29 2026 06:42:01`, `Nov 29, 2026 6:42:01 AM`.
pub(crate) fn month_first<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    let month = time::month(text.get(..3)?)?;
    let (day, end) = time::day(text, 3)?;
    let rest = text.get(end..)?;
    let (comma, rest) = match rest.strip_prefix(", ") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix(' ')?),
    };
    let (year, rest) = match rest.as_bytes() {
        [a, b, c, d, b' ' | b',', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            let after = &rest[5..];
            (rest[..4].parse().ok()?, after.trim_start_matches(' '))
        }
        _ => (clock.year_of(month, day)?, rest),
    };
    let (of_day, length) = if comma {
        time::loose_time(rest)?
    } else {
        time::time_of_day(rest)?
    };
    let civil = Civil::new((year, month, day), of_day)?;
    let form = if comma { Form::Java } else { Form::Whole };
    let found = found((civil, Zone::Local), form, &rest[length..], clock);
    if let Some(stamp) = found.stamp
        && !comma
        && text.len() == SHORT + found.rest.len()
        && found.rest.starts_with(' ')
    {
        clock.keep_short(text, stamp);
    }
    Some(found)
}

/// Parses `@` and 24 hexadecimal digits: seconds of TAI above 2^62, and nanoseconds. The ten seconds are what
/// the programs of daemontools add; they know nothing of later leap seconds.
fn tai64n<'a>(text: &'a str, clock: &mut Clock) -> Option<Found<'a>> {
    const LABEL: u64 = (1 << 62) + 10;
    let (seconds, nanos) = (text.get(1..17)?, text.get(17..25)?);
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(seconds) || !is_hex(nanos) {
        return None;
    }
    let seconds = u64::from_str_radix(seconds, 16).ok()?.checked_sub(LABEL)?;
    let nanos = u32::from_str_radix(nanos, 16).ok()?;
    let seconds = i64::try_from(seconds)
        .ok()
        .filter(|_| nanos < 1_000_000_000)?;
    Some(Found {
        stamp: Some(clock.epoch(seconds, nanos / 1000)),
        form: Form::Whole,
        text: "",
        rest: &text[25..],
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, instant};
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn clock() -> Clock {
        let mut clock = Clock::new(TimeZone::get("Europe/Berlin").unwrap());
        clock.set(instant(NOW));
        clock
    }

    #[test]
    fn every_form_is_read() {
        // Text in Berlin; the instant, what follows.
        let cases = [
            ("2026-11-22 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            ("2026-11-22T06:42:01.5Z x", "2026-11-22T06:42:01.5Z", " x"),
            ("2026/11/22 06:42:01| x", "2026-11-22T05:42:01Z", "| x"),
            (
                "2026.11.22 06:42:01.25 [ 1 ]",
                "2026-11-22T05:42:01.25Z",
                " [ 1 ]",
            ),
            (
                "2026-11-22  6:42:01 0 [Note]",
                "2026-11-22T05:42:01Z",
                " 0 [Note]",
            ),
            (
                "2026-11-22_06:42:01.12345 x",
                "2026-11-22T05:42:01.12345Z",
                " x",
            ),
            (
                "2026-11-22 06:42:01,123 UTC x",
                "2026-11-22T06:42:01.123Z",
                " x",
            ),
            ("2026-11-22 06:42:01 IST x", "unknown", " x"),
            (
                "22-Nov-2026 06:42:01.123 S",
                "2026-11-22T05:42:01.123Z",
                " S",
            ),
            ("22-Nov-2026 06:42:01 UTC", "2026-11-22T06:42:01Z", ""),
            ("22-Nov-2026::06:42:01 ===", "2026-11-22T05:42:01Z", " ==="),
            (
                "22/Nov/2026:06:42:01 +0000: x",
                "2026-11-22T06:42:01Z",
                ": x",
            ),
            (
                "22 Nov 2026 06:42:01.1 # x",
                "2026-11-22T05:42:01.1Z",
                " # x",
            ),
            ("22 Nov 06:42:01.1 # x", "2026-11-22T05:42:01.1Z", " # x"),
            ("22.11.2026 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            ("11/22/2026, 6:42:01 AM x", "2026-11-22T05:42:01Z", " x"),
            ("22/11/2026 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            ("10/11/2026 06:42:01 x", "unknown", " x"),
            ("26/11/22 06:42:01 INFO", "2026-11-22T05:42:01Z", " INFO"),
            (
                "261122  6:42:01 [ERROR]",
                "2026-11-22T05:42:01Z",
                " [ERROR]",
            ),
            ("20261122 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            ("20261122:064201.123 x", "2026-11-22T05:42:01.123Z", " x"),
            (
                "11-22 06:42:01.123  1 1 E",
                "2026-11-22T05:42:01.123Z",
                "  1 1 E",
            ),
            ("Sun Nov 22 06:42:01 2026 x", "2026-11-22T05:42:01Z", " x"),
            ("Sun Nov 22 06:42:01.25 2026", "2026-11-22T05:42:01.25Z", ""),
            (
                "Sun Nov 22 06:42:01 EST 2026 x",
                "2026-11-22T11:42:01Z",
                " x",
            ),
            (
                "Sun, 22 Nov 2026 06:42:01 +0000 x",
                "2026-11-22T06:42:01Z",
                " x",
            ),
            ("Nov 22 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            ("Nov  2 06:42:01 x", "2026-11-02T05:42:01Z", " x"),
            ("Nov 22 2026 06:42:01 x", "2026-11-22T05:42:01Z", " x"),
            (
                "Nov 22, 2026 6:42:01 PM org.x",
                "2026-11-22T17:42:01Z",
                " org.x",
            ),
            ("Nov 22, 2026, 6:42:01 AM x", "2026-11-22T05:42:01Z", " x"),
            ("1795392649: x", "2026-11-23T00:10:49Z", ": x"),
            ("1795392649.5 x", "2026-11-23T00:10:49.5Z", " x"),
            ("1795392649123456789 x", "2026-11-23T00:10:49.123456Z", " x"),
            (
                "@400000006b03849307270e00 x",
                "2026-11-23T00:10:49.12Z",
                " x",
            ),
            ("06:42:01.123 [main]", "unknown", " [main]"),
        ];
        for (text, instant, rest) in cases {
            let found = leading(text, &mut clock()).unwrap_or_else(|| panic!("{text}"));
            let summary = found.stamp.map_or("unknown".to_owned(), |stamp| {
                let ts = jiff::Timestamp::from_microsecond(stamp.ts.as_micros());
                ts.unwrap().to_string()
            });
            assert_eq!((summary.as_str(), found.rest), (instant, rest), "{text}");
        }
    }

    #[test]
    fn other_numbers_and_words_are_none() {
        let cases = [
            "",
            "1234567890 bytes",
            "9999999999 x",
            "99 Nov 2026 06:42:01",
            "31-Feb-2026 06:42:01 x",
            "10.0.0.1 x",
            "192.0.2.1 - - x",
            "2026-11-22",
            "2026-11-22 06:42:011 x",
            "Monday was fine",
            "March 22 06:42:01",
            "@4000",
            "25:00:00 x",
            "\u{661}",
        ];
        for text in cases {
            assert!(leading(text, &mut clock()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "([0-9]{1,4}|[-/:., T@]|Nov|Sun|AM|UTC|[a-z\u{e9}\u{202f}]){0,14}") {
            if let Some(found) = leading(&text, &mut clock()) {
                prop_assert!(text.ends_with(found.rest));
            }
        }
    }
}
