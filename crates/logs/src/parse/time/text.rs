//! Dates, times of day and zones as they stand in lines.

use super::{Civil, Zone};

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
