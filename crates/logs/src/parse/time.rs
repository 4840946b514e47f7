//! When a line was written, from what it says and the time at which it is read.
//!
//! * No year (RFC 3164): the latest year in which the date exists and is at most a day ahead of now.
//! * No zone: the stream's zone. What a change of the clock skips is read as after it, what it repeats
//!   stays in order with the line before.
//! * `23:59:60` and `24:00:00` are the second that follows.
//! * More than ten years from now: clamped, and said so in the context.
//!
//! Arithmetic is on seconds since the epoch; the database of time zones is asked once per hour of
//! local time, as its answer holds for the hour unless the clock changes in it.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use schema::Timestamp;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How far from now a line may be; beyond it is a wrong clock or a forgery.
const FARTHEST: i64 = 10 * 365 * DAY;
/// A line whose year is inferred may be this far ahead of now: clocks and zones differ.
const AHEAD: i64 = DAY;
/// Lines of several processes are this much out of order at most.
const DISORDER: i64 = 5 * 60;

/// Date and time of day as they stand in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) micros: u32,
}

/// The zone as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone<'a> {
    /// Not said.
    Local,
    /// Seconds east of Greenwich.
    Offset(i32),
    /// An abbreviation such as `CET`.
    Name(&'a str),
}

/// A time, and what is doubtful about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) ts: Timestamp,
    /// More than ten years from now, and moved to that border.
    pub(crate) clamped: bool,
}

/// Reads times of one stream.
#[derive(Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
    now: i64,
    /// The line before, seconds.
    last: Option<i64>,
    /// An hour of local time (hours since the epoch) in which one offset holds throughout.
    known: Option<(i64, i32)>,
}

/// Abbreviations of zones with one meaning, as in PostgreSQL's default set.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UCT", 0),
    ("WET", 0),
    ("WEST", 3600),
    ("BST", 3600),
    ("CET", 3600),
    ("MET", 3600),
    ("CEST", 7200),
    ("MEST", 7200),
    ("EET", 7200),
    ("SAST", 7200),
    ("EEST", 10800),
    ("MSK", 10800),
    ("EAT", 10800),
    ("PKT", 18000),
    ("JST", 32400),
    ("KST", 32400),
    ("AWST", 28800),
    ("AEST", 36000),
    ("AEDT", 39600),
    ("NZST", 43200),
    ("NZDT", 46800),
    ("EST", -18000),
    ("EDT", -14400),
    ("CDT", -18000),
    ("MST", -25200),
    ("MDT", -21600),
    ("PST", -28800),
    ("PDT", -25200),
    ("AKST", -32400),
    ("AKDT", -28800),
    ("HST", -36000),
    ("CST", -21600),
    ("BRT", -10800),
    ("ART", -10800),
];

const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";

/// Number of the month of this abbreviation, in letters of either size.
pub(crate) fn month(word: &str) -> Option<u8> {
    let word: [u8; 3] = word.as_bytes().try_into().ok()?;
    let at = MONTHS
        .chunks(3)
        .position(|known| known.eq_ignore_ascii_case(&word))?;
    u8::try_from(at + 1).ok()
}

impl Civil {
    /// The date and time, if there is such a day and time of day.
    pub(crate) fn new(date: (i64, u8, u8), time: (u8, u8, u8, u32)) -> Option<Self> {
        let ((year, month, day), (hour, minute, second, micros)) = (date, time);
        let civil = Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        };
        let day_exists = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        let midnight = hour == 24 && minute == 0 && second == 0;
        let time_exists = (hour <= 23 && minute <= 59 && second <= 60) || midnight;
        (day_exists && time_exists).then_some(civil)
    }

    /// Seconds since the epoch, were this UTC.
    fn seconds(self) -> i64 {
        days(self.year, self.month, self.day) * DAY
            + i64::from(self.hour) * HOUR
            + i64::from(self.minute) * 60
            + i64::from(self.second)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1 January 1970 in the Gregorian calendar. The year begins in March, so that the leap
/// day is its last; 146097 days are 400 years.
fn days(year: i64, month: u8, day: u8) -> i64 {
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Clock {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            now: 0,
            last: None,
            known: None,
        }
    }

    /// Sets the time at which lines are read now.
    pub(crate) fn set(&mut self, now: Timestamp) {
        self.now = now.as_micros().div_euclid(SECOND);
    }

    /// The time of a line.
    pub(crate) fn stamp(&mut self, civil: Civil, zone: Zone<'_>) -> Stamp {
        let seconds = civil.seconds();
        let seconds = if (seconds - self.now).abs() > FARTHEST + 2 * DAY {
            seconds
        } else {
            match zone {
                Zone::Offset(offset) => seconds - i64::from(offset),
                Zone::Name(name) => self.named(seconds, name),
                Zone::Local => self.local(seconds),
            }
        };
        self.seen(seconds, civil.micros)
    }

    /// The time of a line that says seconds since the epoch.
    pub(crate) fn epoch(&mut self, seconds: i64, micros: u32) -> Stamp {
        self.seen(seconds, micros)
    }

    fn seen(&mut self, seconds: i64, micros: u32) -> Stamp {
        let near = seconds.clamp(self.now - FARTHEST, self.now + FARTHEST);
        self.last = Some(near);
        let clamped = near != seconds;
        let micros = if clamped { 0 } else { i64::from(micros) };
        Stamp {
            ts: Timestamp(near * SECOND + micros),
            clamped,
        }
    }

    /// The year of a date that lacks it. February 29 belongs to the latest leap year.
    pub(crate) fn year_of(&self, month: u8, day: u8) -> Option<i64> {
        let most = self.now + AHEAD;
        // 1970 + days / 365 is this year or the next; leap years are at most eight apart.
        let newest = 1970 + self.now.div_euclid(DAY).div_euclid(365) + 1;
        (0..12)
            .map(|back| newest - back)
            .filter(|year| day >= 1 && day <= days_in(*year, month))
            .find(|year| days(*year, month, day) * DAY <= most)
    }

    fn named(&mut self, seconds: i64, name: &str) -> i64 {
        // The stream's own zone knows which of its two offsets the name means.
        if let Some(civil) = civil_of(seconds) {
            let offsets = match self.zone.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => [offset, offset],
                AmbiguousOffset::Gap { before, after }
                | AmbiguousOffset::Fold { before, after } => [before, after],
            };
            for offset in offsets {
                let ts = seconds - i64::from(offset.seconds());
                let named = jiff::Timestamp::from_second(ts)
                    .is_ok_and(|ts| self.zone.to_offset_info(ts).abbreviation() == name);
                if named {
                    return ts;
                }
            }
        }
        match ABBREVIATIONS.iter().find(|(known, _)| *known == name) {
            Some((_, offset)) => seconds - i64::from(*offset),
            None => self.local(seconds),
        }
    }

    fn local(&mut self, seconds: i64) -> i64 {
        let hour = seconds.div_euclid(HOUR);
        if let Some((known, offset)) = self.known
            && known == hour
        {
            return seconds - i64::from(offset);
        }
        let Some(civil) = civil_of(seconds) else {
            return seconds;
        };
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                let offset = offset.seconds();
                if self.holds(hour, offset) {
                    self.known = Some((hour, offset));
                }
                seconds - i64::from(offset)
            }
            // The time that the clock would show had it not been put forward.
            AmbiguousOffset::Gap { before, .. } => seconds - i64::from(before.seconds()),
            AmbiguousOffset::Fold { before, after } => self.repeated(
                seconds - i64::from(before.seconds()),
                seconds - i64::from(after.seconds()),
            ),
        }
    }

    /// Whether this offset is the only one at both ends of the hour.
    fn holds(&self, hour: i64, expected: i32) -> bool {
        [hour * HOUR, hour * HOUR + HOUR - 1].iter().all(|second| {
            civil_of(*second).is_some_and(|civil| {
                matches!(self.zone.to_ambiguous_timestamp(civil).offset(),
                    AmbiguousOffset::Unambiguous { offset } if offset.seconds() == expected)
            })
        })
    }

    /// Of the two times that a repeated hour may mean: the one in order with the line before; where
    /// that says nothing, the later one if it is being written just now.
    fn repeated(&self, earlier: i64, later: i64) -> i64 {
        match self.last {
            Some(last) if earlier < last - DISORDER => later,
            Some(last) if earlier - last < 2 * HOUR => earlier,
            _ if later <= self.now + 60 && self.now - later < HOUR / 4 => later,
            _ => earlier,
        }
    }
}

fn civil_of(seconds: i64) -> Option<DateTime> {
    let ts = jiff::Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(ts))
}

/// Two digits at this place.
pub(crate) fn two(bytes: &[u8], at: usize) -> Option<u8> {
    let tens = bytes.get(at)?.wrapping_sub(b'0');
    let ones = bytes.get(at + 1)?.wrapping_sub(b'0');
    (tens <= 9 && ones <= 9).then(|| tens * 10 + ones)
}

/// `hh:mm:ss` with a fraction behind `.` or `,`, and the bytes it takes. The minute's sixtieth second
/// and `24:00:00` are taken.
pub(crate) fn time_of_day(text: &str) -> Option<((u8, u8, u8, u32), usize)> {
    let bytes = text.as_bytes();
    if bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let (hour, minute, second) = (two(bytes, 0)?, two(bytes, 3)?, two(bytes, 6)?);
    let mut end = 8;
    let mut micros = 0;
    if matches!(bytes.get(8), Some(b'.' | b',')) {
        let digits = bytes[9..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits > 0 {
            let mut scale = 100_000;
            for digit in &bytes[9..9 + digits.min(6)] {
                micros += u32::from(digit - b'0') * scale;
                scale /= 10;
            }
            end = 9 + digits;
        }
    }
    Some(((hour, minute, second, micros), end))
}

/// `2026-02-15 00:00:54.808`, also with `T` and with `/`, and the bytes it takes.
pub(crate) fn iso(text: &str) -> Option<(Civil, usize)> {
    let bytes = text.as_bytes();
    let digits = bytes
        .iter()
        .take(7)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let separator = *bytes.get(digits)?;
    if !(4..=6).contains(&digits) || !matches!(separator, b'-' | b'/') {
        return None;
    }
    let year: i64 = text[..digits].parse().ok()?;
    let rest = &bytes[digits + 1..];
    let between = *rest.get(5)?;
    if *rest.get(2)? != separator || !matches!(between, b'T' | b't' | b' ' | b'_') {
        return None;
    }
    let (month, day) = (two(rest, 0)?, two(rest, 3)?);
    let from = digits + 7;
    let (time, length) = time_of_day(text.get(from..)?)?;
    Some((Civil::new((year, month, day), time)?, from + length))
}

/// `Z`, `+01`, `+01:00`, `-0330`, also after one blank, and the bytes it takes. [`Zone::Local`] and 0
/// where none stands.
pub(crate) fn zone(text: &str) -> (Zone<'_>, usize) {
    match named_zone(text) {
        (Zone::Name(_), _) => (Zone::Local, 0),
        found => found,
    }
}

/// As [`zone`], or an abbreviation after one blank: for formats in which one must stand there, as any
/// word in capitals looks like it.
pub(crate) fn named_zone(text: &str) -> (Zone<'_>, usize) {
    let blank = usize::from(text.starts_with(' '));
    let rest = &text[blank..];
    let bytes = rest.as_bytes();
    match bytes.first() {
        Some(sign @ (b'+' | b'-')) => {
            if let Some((offset, length)) = offset(&bytes[1..]) {
                let offset = if *sign == b'-' { -offset } else { offset };
                return (Zone::Offset(offset), blank + 1 + length);
            }
        }
        Some(b'Z' | b'z') if !bytes.get(1).is_some_and(u8::is_ascii_alphanumeric) => {
            return (Zone::Offset(0), blank + 1);
        }
        Some(byte) if byte.is_ascii_uppercase() && blank == 1 => {
            let length = bytes
                .iter()
                .take_while(|byte| byte.is_ascii_uppercase())
                .count();
            if (2..=5).contains(&length)
                && !bytes.get(length).is_some_and(u8::is_ascii_alphanumeric)
            {
                return (Zone::Name(&rest[..length]), blank + length);
            }
        }
        _ => {}
    }
    (Zone::Local, 0)
}

fn offset(digits: &[u8]) -> Option<(i32, usize)> {
    let hours = i32::from(two(digits, 0)?);
    let (minutes, length) = match digits.get(2) {
        Some(b':') => two(digits, 3).map_or((0, 2), |minutes| (minutes, 5)),
        _ => two(digits, 2).map_or((0, 2), |minutes| (minutes, 4)),
    };
    (hours <= 15 && minutes <= 59).then_some((hours * 3600 + i32::from(minutes) * 60, length))
}

#[cfg(test)]
mod tests {
    use super::super::testing::instant;
    use super::*;
    use proptest::prelude::*;

    fn clock(zone: &str, now: &str) -> Clock {
        let mut clock = Clock::new(TimeZone::get(zone).unwrap());
        clock.set(instant(now));
        clock
    }

    fn told(stamp: Stamp) -> String {
        jiff::Timestamp::from_microsecond(stamp.ts.as_micros())
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_date_without_year_is_the_latest_not_ahead() {
        // Read at; month, day; year.
        let cases = [
            ("2026-11-23T12:00:00Z", (11, 23), Some(2026)),
            ("2026-11-23T12:00:00Z", (11, 24), Some(2026)),
            ("2026-11-23T12:00:00Z", (11, 25), Some(2025)),
            ("2026-01-01T00:10:00Z", (12, 31), Some(2025)),
            ("2025-12-31T23:50:00Z", (1, 1), Some(2026)),
            ("2026-03-01T00:00:00Z", (2, 29), Some(2024)),
            ("2028-02-29T00:00:00Z", (2, 29), Some(2028)),
            ("2103-02-01T00:00:00Z", (2, 29), Some(2096)),
            ("2026-11-23T12:00:00Z", (2, 30), None),
            ("2026-11-23T12:00:00Z", (2, 0), None),
            ("1970-01-01T00:00:00Z", (1, 1), Some(1970)),
        ];
        for (now, (month, day), year) in cases {
            assert_eq!(
                clock("UTC", now).year_of(month, day),
                year,
                "{now}: {month}-{day}"
            );
        }
    }

    #[test]
    fn a_changed_clock_is_read_in_order() {
        let now = "2026-11-23T12:00:00Z";
        let at = |clock: &mut Clock, text: &str| {
            let (civil, _) = iso(text).unwrap();
            told(clock.stamp(civil, Zone::Local))
        };
        // Put forward at 02:00: what is skipped is after it.
        let mut berlin = clock("Europe/Berlin", now);
        assert_eq!(
            at(&mut berlin, "2026-03-29 01:59:59"),
            "2026-03-29T00:59:59Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-03-29 02:30:00"),
            "2026-03-29T01:30:00Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-03-29 03:00:00"),
            "2026-03-29T01:00:00Z"
        );
        // Put back at 03:00: 02:30 comes twice, in order.
        assert_eq!(
            at(&mut berlin, "2026-10-25 02:30:00"),
            "2026-10-25T00:30:00Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-10-25 02:59:00"),
            "2026-10-25T00:59:00Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-10-25 02:10:00"),
            "2026-10-25T01:10:00Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-10-25 02:20:00"),
            "2026-10-25T01:20:00Z"
        );
        assert_eq!(
            at(&mut berlin, "2026-10-25 03:00:00"),
            "2026-10-25T02:00:00Z"
        );
        // The first line that is read is of just now.
        let mut fresh = clock("Europe/Berlin", "2026-10-25T01:30:10Z");
        assert_eq!(
            at(&mut fresh, "2026-10-25 02:30:00"),
            "2026-10-25T01:30:00Z"
        );
        let mut fresh = clock("Europe/Berlin", "2026-10-25T00:30:10Z");
        assert_eq!(
            at(&mut fresh, "2026-10-25 02:30:00"),
            "2026-10-25T00:30:00Z"
        );
        // By half an hour, at 02:00.
        let mut howe = clock("Australia/Lord_Howe", now);
        assert_eq!(at(&mut howe, "2026-04-05 01:29:00"), "2026-04-04T14:29:00Z");
        assert_eq!(at(&mut howe, "2026-04-05 01:45:00"), "2026-04-04T14:45:00Z");
        assert_eq!(at(&mut howe, "2026-04-05 01:31:00"), "2026-04-04T15:01:00Z");
    }

    #[test]
    fn zones_are_named_in_many_ways() {
        let cases = [
            ("UTC", "2026-07-23 00:10:49 UTC", "2026-07-23T00:10:49Z"),
            ("UTC", "2026-07-23 00:10:49 CEST", "2026-07-22T22:10:49Z"),
            (
                "Europe/Berlin",
                "2026-10-25 02:30:00 CEST",
                "2026-10-25T00:30:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-10-25 02:30:00 CET",
                "2026-10-25T01:30:00Z",
            ),
            (
                "Asia/Shanghai",
                "2026-07-23 08:00:00 CST",
                "2026-07-23T00:00:00Z",
            ),
            (
                "America/Chicago",
                "2026-01-23 00:00:00 CST",
                "2026-01-23T06:00:00Z",
            ),
            ("UTC", "2026-07-23 00:00:00 +0530", "2026-07-22T18:30:00Z"),
            ("UTC", "2026-07-23 00:00:00 -03", "2026-07-23T03:00:00Z"),
            ("UTC", "2026-07-23T00:00:00-03:30", "2026-07-23T03:30:00Z"),
            (
                "Europe/Berlin",
                "2026-07-23 00:00:00 NOPE",
                "2026-07-22T22:00:00Z",
            ),
        ];
        for (local, text, expected) in cases {
            let (civil, end) = iso(text).unwrap();
            let (zone, _) = named_zone(&text[end..]);
            assert_eq!(
                told(clock(local, "2026-11-23T12:00:00Z").stamp(civil, zone)),
                expected,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_the_database(second in 0..4_102_444_800_i64, name in prop::sample::select(&["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"][..])) {
            let zone = TimeZone::get(name).unwrap();
            let ts = jiff::Timestamp::from_second(second).unwrap();
            let there = zone.to_datetime(ts);
            let text = there.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let mut clock = Clock::new(zone.clone());
            clock.set(Timestamp(second * SECOND));
            let (civil, _) = iso(&text).unwrap();
            let found = clock.stamp(civil, Zone::Local);
            let ambiguous = zone.to_ambiguous_timestamp(there);
            if !ambiguous.is_ambiguous() {
                prop_assert_eq!(found.ts.as_micros(), second * SECOND, "{}", text);
            }
            // A second look is answered from what is known of the hour.
            prop_assert_eq!(clock.stamp(civil, Zone::Local), found);
        }
    }
}
