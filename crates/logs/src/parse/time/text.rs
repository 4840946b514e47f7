//! Dates, times of day and zones as they are in lines.

use super::{Civil, Zone};

/// Parses two digits at this place.
pub(crate) fn two(bytes: &[u8], at: usize) -> Option<u8> {
    let tens = bytes.get(at)?.wrapping_sub(b'0');
    let ones = bytes.get(at + 1)?.wrapping_sub(b'0');
    (tens <= 9 && ones <= 9).then(|| tens * 10 + ones)
}

/// Parses `hh:mm:ss` with a fraction after `.` or `,`, and the bytes it takes. The minute's sixtieth second
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

/// Parses a time of day as [`time_of_day`] does, also with an hour of one digit, blank in front of it
/// or not, and with `AM` or `PM` after it.
pub(crate) fn loose_time(text: &str) -> Option<((u8, u8, u8, u32), usize)> {
    let blank = usize::from(text.starts_with(' '));
    let rest = &text[blank..];
    let (mut time, mut end) = if rest.as_bytes().get(1) == Some(&b':') {
        let mut padded = [0; 40];
        let most = rest.len().min(padded.len() - 1);
        padded[0] = b'0';
        padded[1..=most].copy_from_slice(&rest.as_bytes()[..most]);
        let digits = padded[..=most]
            .iter()
            .position(|byte| !byte.is_ascii())
            .unwrap_or(most + 1);
        let (time, end) = time_of_day(std::str::from_utf8(&padded[..digits]).ok()?)?;
        (time, end - 1)
    } else {
        time_of_day(rest)?
    };
    // A narrow blank without break is what newer libraries put there.
    let after = rest[end..]
        .strip_prefix(' ')
        .or_else(|| rest[end..].strip_prefix('\u{202f}'));
    if let Some(half) = after.and_then(half_of_day) {
        let is_pm = half.eq_ignore_ascii_case("pm");
        if (is_pm || half.eq_ignore_ascii_case("am")) && (1..=12).contains(&time.0) {
            time.0 = time.0 % 12 + if is_pm { 12 } else { 0 };
            let narrow = after.map_or(0, |after| rest.len() - end - after.len());
            end += narrow + 2;
        }
    }
    Some((time, blank + end))
}

/// Parses `AM` or `PM`, as a word.
fn half_of_day(text: &str) -> Option<&str> {
    let half = text.get(..2)?;
    let is_word = !text
        .as_bytes()
        .get(2)
        .is_some_and(u8::is_ascii_alphanumeric);
    is_word.then_some(half)
}

/// Parses `2026-02-15 00:00:54.808`, also with `T`, `/` and `.`, an hour of one digit after a second blank,
/// and the bytes it takes.
pub(crate) fn iso(text: &str) -> Option<(Civil, usize)> {
    let bytes = text.as_bytes();
    let digits = bytes
        .iter()
        .take(7)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let separator = *bytes.get(digits)?;
    if !(4..=6).contains(&digits) || !matches!(separator, b'-' | b'/' | b'.') {
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
    let rest = text.get(from..)?;
    let (time, length) = match time_of_day(rest) {
        Some(found) => found,
        None if between == b' ' && rest.starts_with(' ') => loose_time(rest)?,
        None => return None,
    };
    Some((Civil::new((year, month, day), time)?, from + length))
}

/// Parses `Z`, `+01`, `+01:00`, `-0330`, also after one blank, and the bytes it takes. [`Zone::Local`] and 0
/// where none stands.
pub(crate) fn zone(text: &str) -> (Zone<'_>, usize) {
    match named_zone(text) {
        (Zone::Name(_), _) => (Zone::Local, 0),
        found => found,
    }
}

/// Does the same as [`zone`], or an abbreviation after one blank: for formats in which one must be there, as any
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

/// Does the same as [`zone`], or an abbreviation or name of a zone after one blank, where any other word may stand as
/// well: one that is known, or capitals before a number in brackets that name no level.
pub(crate) fn known_zone(text: &str) -> (Zone<'_>, usize) {
    let (found, length) = zone(text);
    if found != Zone::Local || !text.starts_with(' ') {
        return (found, length);
    }
    let rest = &text[1..];
    if !rest.starts_with(|first: char| first.is_ascii_uppercase()) {
        return (Zone::Local, 0);
    }
    let end = rest
        .bytes()
        .take(ZONE + 1)
        .position(|byte| !is_of_zone(byte))
        .unwrap_or_else(|| rest.len().min(ZONE + 1));
    let (word, after) = rest.split_at(end);
    let capitals = (3..=5).contains(&end) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let before_id = || {
        let id = after.strip_prefix(" [").map(str::as_bytes);
        id.and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
            && crate::parse::level::of_name(word).is_none()
    };
    let is_zone = if capitals {
        super::is_abbreviation(word) || before_id()
    } else {
        is_name(word)
    };
    if is_zone {
        (Zone::Name(word), 1 + end)
    } else {
        (Zone::Local, 0)
    }
}

/// Returns the zone where nothing else can stand: after one blank, up to the end. `None` where something else
/// stands.
pub(crate) fn whole_zone(text: &str) -> Option<Zone<'_>> {
    if text.is_empty() {
        return Some(Zone::Local);
    }
    let (zone, length) = zone(text);
    if length == text.len() {
        return Some(zone);
    }
    let name = text.strip_prefix(' ')?;
    (name.len() <= ZONE && !name.is_empty() && name.bytes().all(is_of_zone))
        .then_some(Zone::Name(name))
}

/// Letters of a zone's name at most: `America/Argentina/ComodRivadavia` has 32.
const ZONE: usize = 40;

fn is_of_zone(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-')
}

/// Returns whether the text is `Europe/Berlin`: areas of the database of zones.
fn is_name(word: &str) -> bool {
    const AREAS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Etc",
        "Europe",
        "Indian",
        "Pacific",
    ];
    word.split_once('/')
        .is_some_and(|(area, _)| AREAS.contains(&area))
}

/// Returns the day of the month after blanks, of one or two digits, and where it ends.
pub(crate) fn day(line: &str, at: usize) -> Option<(u8, usize)> {
    let bytes = line.as_bytes();
    if bytes.get(at) != Some(&b' ') {
        return None;
    }
    let from = at + 1 + usize::from(bytes.get(at + 1) == Some(&b' '));
    match (two(bytes, from), bytes.get(from)?) {
        (Some(day), _) => Some((day, from + 2)),
        (None, digit @ b'0'..=b'9') => Some((digit - b'0', from + 1)),
        _ => None,
    }
}

/// Seconds since the epoch with a fraction after `.`, or milli-, micro- or nanoseconds by their number
/// of digits: seconds, microseconds, the bytes it takes and whether there is a fraction.
pub(crate) fn epoch(text: &str) -> Option<(i64, u32, usize, bool)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter()
            .take(20)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = digits(0);
    let number: i64 = text.get(..whole)?.parse().ok()?;
    let (seconds, micros) = match whole {
        10 => (number, 0),
        13 => (number / 1000, number % 1000 * 1000),
        16 => (number / 1_000_000, number % 1_000_000),
        19 => (number / 1_000_000_000, number % 1_000_000_000 / 1000),
        _ => return None,
    };
    let mut micros = u32::try_from(micros).ok()?;
    let fraction = match bytes.get(whole) {
        Some(b'.') if whole == 10 => digits(whole + 1),
        _ => 0,
    };
    if fraction == 0 {
        return Some((seconds, micros, whole, false));
    }
    let mut scale = 100_000;
    for digit in &bytes[whole + 1..whole + 1 + fraction.min(6)] {
        micros += u32::from(digit - b'0') * scale;
        scale /= 10;
    }
    Some((seconds, micros, whole + 1 + fraction, true))
}

fn offset(digits: &[u8]) -> Option<(i32, usize)> {
    let hours = i32::from(two(digits, 0)?);
    let (minutes, length) = match digits.get(2) {
        Some(b':') => two(digits, 3).map_or((0, 2), |minutes| (minutes, 5)),
        _ => two(digits, 2).map_or((0, 2), |minutes| (minutes, 4)),
    };
    (hours <= 15 && minutes <= 59).then_some((hours * 3600 + i32::from(minutes) * 60, length))
}
