//! When a line was written, from what it states and the time at which it is read.
//!
//! * No year (RFC 3164): the latest year in which the date exists and is at most a day ahead of now.
//! * No zone: the stream's zone. What a change of the clock skips is read as after it, what it repeats
//!   stays in order with the line before.
//! * A zone that is not known, or that is known under several offsets: the time is unknown. It is never
//!   read as local time.
//! * `23:59:60` and `24:00:00` are the second that follows.
//! * More than ten years from now: clamped, which the context states.
//!
//! Arithmetic is on seconds since the epoch; the database of time zones is asked once per hour of
//! local time, as its answer holds for the hour unless the clock changes in it.

mod text;

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use schema::Timestamp;

pub(crate) use text::{
    day, epoch, iso, known_zone, loose_time, named_zone, time_of_day, two, whole_zone, zone,
};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How far from now a line may be; beyond it is a wrong clock or a forgery.
const FARTHEST: i64 = 10 * 365 * DAY;
/// A line whose year is inferred may be this far ahead of now: clocks and zones differ.
const AHEAD: i64 = DAY;
/// Lines of several processes are this much out of order at most.
const DISORDER: i64 = 5 * 60;

/// Date and time of day as they are in a line.
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

/// The zone as it is in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone<'a> {
    /// No zone in the line.
    Local,
    /// Seconds east of Greenwich.
    Offset(i32),
    /// An abbreviation such as `CET`, or a name such as `Europe/Berlin`.
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
    local: Local,
    now: i64,
    /// The line before, seconds.
    last: Option<i64>,
    /// The last name of a zone that was looked up in the database; `None` where it has none.
    named: Option<(String, Option<Local>)>,
    /// The last time written as `Nov 29 06:42:01 ` and what it means now: lines of one second are many.
    short: Option<([u8; SHORT], Stamp)>,
}

/// A zone, and what is known of its offsets.
#[derive(Debug)]
struct Local {
    zone: TimeZone,
    /// An hour of local time (hours since the epoch) in which one offset holds throughout.
    known: Option<(i64, i32)>,
}

/// Abbreviations of zones with one meaning, seconds east of Greenwich; mostly PostgreSQL's default set.
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
    ("WAT", 3600),
    ("CAT", 7200),
    ("TRT", 10800),
    ("NPT", 20700),
    ("WIB", 25200),
    ("ICT", 25200),
    ("WITA", 28800),
    ("SGT", 28800),
    ("HKT", 28800),
    ("WIT", 32400),
    ("ACST", 34200),
    ("ACDT", 37800),
    ("NDT", -9000),
    ("ADT", -10800),
];

/// Abbreviations that stand for several zones: India, Ireland and Israel all write `IST`. Only the
/// stream's own zone can say which is meant.
const AMBIGUOUS: &[&str] = &[
    "IST", "AST", "AMT", "GST", "BDT", "ECT", "SST", "WST", "NST",
];

/// Returns whether a word is an abbreviation of a zone.
pub(crate) fn is_abbreviation(word: &str) -> bool {
    ABBREVIATIONS.iter().any(|(known, _)| *known == word) || AMBIGUOUS.contains(&word)
}

/// Returns the number of the month of this abbreviation, in letters of either size.
pub(crate) fn month(word: &str) -> Option<u8> {
    let word: [u8; 3] = word.as_bytes().try_into().ok()?;
    Some(match &word.map(|byte| byte.to_ascii_lowercase()) {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// Bytes of `Nov 29 06:42:01 `.
const SHORT: usize = 16;

impl Civil {
    /// Returns the date and time, if there is such a day and time of day.
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
    pub(crate) fn seconds(self) -> i64 {
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
            local: Local { zone, known: None },
            now: 0,
            last: None,
            named: None,
            short: None,
        }
    }

    /// Sets the time at which lines are read now.
    pub(crate) fn set(&mut self, now: Timestamp) {
        let now = now.as_micros().div_euclid(SECOND);
        if now != self.now {
            // Which year is meant depends on it.
            self.short = None;
        }
        self.now = now;
    }

    /// Returns the meaning of a time `Nov 29 06:42:01 ` at the beginning of a text that is the same as that of
    /// the line before.
    pub(crate) fn same_short(&mut self, text: &str) -> Option<Stamp> {
        let (known, stamp) = self.short.as_ref()?;
        if text.as_bytes().first_chunk::<SHORT>() != Some(known) {
            return None;
        }
        self.last = Some(stamp.ts.as_micros().div_euclid(SECOND));
        Some(*stamp)
    }

    /// Keeps what a time of that form means, unless the clock changes in its hour: then that depends on the line
    /// before.
    pub(crate) fn keep_short(&mut self, text: &str, stamp: Stamp) {
        let seconds = stamp.ts.as_micros().div_euclid(SECOND);
        let is_sure = self
            .local
            .known
            .is_some_and(|(hour, offset)| (seconds + i64::from(offset)).div_euclid(HOUR) == hour);
        if let Some(text) = text.as_bytes().first_chunk::<SHORT>()
            && is_sure
            && !stamp.clamped
        {
            self.short = Some((*text, stamp));
        }
    }

    /// Returns the time of a line; `None` when its zone is not known.
    pub(crate) fn stamp(&mut self, civil: Civil, zone: Zone<'_>) -> Option<Stamp> {
        let seconds = civil.seconds();
        let seconds = if (seconds - self.now).abs() > FARTHEST + 2 * DAY {
            seconds
        } else {
            match zone {
                Zone::Offset(offset) => seconds - i64::from(offset),
                Zone::Name(name) => self.named(seconds, name)?,
                Zone::Local => self.local.utc(seconds, self.last, self.now),
            }
        };
        Some(self.seen(seconds, civil.micros))
    }

    /// Returns the time of a line that has seconds since the epoch.
    pub(crate) fn epoch(&mut self, seconds: i64, micros: u32) -> Stamp {
        self.seen(seconds, micros)
    }

    /// Returns whether a number of seconds since the epoch can be the time of a line: other numbers are at
    /// the beginning of lines, too.
    pub(crate) fn is_near(&self, seconds: i64) -> bool {
        (seconds - self.now).abs() <= FARTHEST
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

    /// Returns the year of a date that lacks it. February 29 belongs to the latest leap year.
    pub(crate) fn year_of(&self, month: u8, day: u8) -> Option<i64> {
        let most = self.now + AHEAD;
        // 1970 + days / 365 is this year or the next; leap years are at most eight apart.
        let newest = 1970 + self.now.div_euclid(DAY).div_euclid(365) + 1;
        (0..12)
            .map(|back| newest - back)
            .filter(|year| day >= 1 && day <= days_in(*year, month))
            .find(|year| days(*year, month, day) * DAY <= most)
    }

    fn named(&mut self, seconds: i64, name: &str) -> Option<i64> {
        if matches!(name, "UTC" | "GMT") {
            return Some(seconds);
        }
        // The stream's own zone knows which of its two offsets the name means.
        if let Some(ts) = self.local.abbreviated(seconds, name) {
            return Some(ts);
        }
        if let Some((_, offset)) = ABBREVIATIONS.iter().find(|(known, _)| *known == name) {
            return Some(seconds - i64::from(*offset));
        }
        if self.named.as_ref().is_none_or(|(known, _)| known != name) {
            let zone = TimeZone::get(name).ok();
            let local = zone.map(|zone| Local { zone, known: None });
            self.named = Some((name.to_owned(), local));
        }
        let (_, local) = self.named.as_mut()?;
        Some(local.as_mut()?.utc(seconds, self.last, self.now))
    }
}

impl Local {
    /// Returns the time that is meant when the zone itself uses the abbreviation.
    fn abbreviated(&self, seconds: i64, name: &str) -> Option<i64> {
        let offsets = match self
            .zone
            .to_ambiguous_timestamp(civil_of(seconds)?)
            .offset()
        {
            AmbiguousOffset::Unambiguous { offset } => [offset, offset],
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                [before, after]
            }
        };
        offsets
            .into_iter()
            .map(|offset| seconds - i64::from(offset.seconds()))
            .find(|ts| {
                jiff::Timestamp::from_second(*ts)
                    .is_ok_and(|ts| self.zone.to_offset_info(ts).abbreviation() == name)
            })
    }

    /// Returns the seconds since the epoch of a local time. `last` is the line before.
    fn utc(&mut self, seconds: i64, last: Option<i64>, now: i64) -> i64 {
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
            AmbiguousOffset::Fold { before, after } => {
                let earlier = seconds - i64::from(before.seconds());
                repeated(earlier, seconds - i64::from(after.seconds()), last, now)
            }
        }
    }

    /// Returns whether this offset is the only one at both ends of the hour.
    fn holds(&self, hour: i64, expected: i32) -> bool {
        [hour * HOUR, hour * HOUR + HOUR - 1].iter().all(|second| {
            civil_of(*second).is_some_and(|civil| {
                matches!(self.zone.to_ambiguous_timestamp(civil).offset(),
                    AmbiguousOffset::Unambiguous { offset } if offset.seconds() == expected)
            })
        })
    }
}

/// Returns, of the two times that a repeated hour may mean: the one in order with the line before; where that
/// states nothing, the later one if it is being written just now.
fn repeated(earlier: i64, later: i64, last: Option<i64>, now: i64) -> i64 {
    match last {
        Some(last) if earlier < last - DISORDER => later,
        Some(last) if earlier - last < 2 * HOUR => earlier,
        _ if later <= now + 60 && now - later < HOUR / 4 => later,
        _ => earlier,
    }
}

fn civil_of(seconds: i64) -> Option<DateTime> {
    let ts = jiff::Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(ts))
}
