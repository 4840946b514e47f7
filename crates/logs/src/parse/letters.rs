//! Formats whose level is a letter or a mark at a place specific to the format.
//!
//! ```text
//! E1129 06:42:01.000000   12 file.go:128] message                     klog, glog, Abseil
//! E, [2026-11-29T06:42:01.123456 #123] ERROR -- prog: message        Ruby's Logger
//! 1:M 29 Nov 2026 06:42:01.123 # message                             Redis, Valkey
//! E/Tag( 123): message                                               Android, format brief
//! ```

use std::borrow::Cow;

use super::time::{self, Civil, Clock, Zone};
use super::{Draft, head, level, stamp};
use crate::event::Level;

/// Returns the event of a line in one of these formats.
pub(crate) fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    match line.as_bytes() {
        [b'I' | b'W' | b'E' | b'F' | b'D', b'0'..=b'9', ..] => klog(line, clock),
        [b'A'..=b'Z', b',', b' ', b'[', ..] => ruby(line, clock),
        [b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'A', b'/', ..] => android(line),
        [b'0'..=b'9', ..] => redis(line, clock),
        _ => None,
    }
}

/// Parses a time: month and day are after the letter; newer releases write the year before them.
fn klog<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let bytes = line.as_bytes();
    let (date, rest) = line[1..].split_once(' ')?;
    let at = match date.len() {
        4 => 1,
        8 => 5,
        _ => return None,
    };
    let (month, day) = (time::two(bytes, at)?, time::two(bytes, at + 2)?);
    let year = if at == 1 {
        clock.year_of(month, day)?
    } else {
        date.get(..4)?.parse().ok()?
    };
    let (of_day, end) = time::time_of_day(rest)?;
    let rest = rest[end..].strip_prefix(' ')?.trim_start();
    let (thread, rest) = rest.split_once(' ')?;
    let (place, message) = rest.split_once(']')?;
    if place.contains(' ') || !thread.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let level = level::of_letter(bytes[0])?;
    let mut draft = Draft {
        stamp: clock.stamp(Civil::new((year, month, day), of_day)?, Zone::Local),
        level: Some(level),
        message: Cow::Borrowed(message.trim_start()),
        ..Draft::default()
    };
    if bytes[0] == b'F' {
        draft.severity = "fatal";
    }
    let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
    draft.component = Cow::Borrowed(file);
    draft.context.digits("thread", thread);
    draft.context.name("caller", place);
    Some(draft)
}

fn ruby<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let (when, rest) = head::bracket(&line[3..])?;
    let found = stamp::leading(when, clock)?;
    let process = found.rest.trim_start().strip_prefix('#')?;
    let (word, rest) = rest.trim_start().split_once(" -- ")?;
    let (program, message) = rest
        .split_once(": ")
        .or_else(|| rest.strip_suffix(':').map(|program| (program, "")))
        .filter(|(program, _)| program.len() <= 64)
        .unwrap_or(("", rest));
    let letter = level::of_letter(line.as_bytes()[0]);
    let level = match word {
        "ANY" => Level::Info,
        word => level::of_word(word).or(letter)?,
    };
    let mut draft = Draft {
        stamp: found.stamp,
        component: Cow::Borrowed(program),
        message: Cow::Borrowed(message.trim_start()),
        pid: process.parse().ok(),
        ..Draft::default()
    };
    draft.set_level(word, level);
    draft.context.digits("pid", process);
    Some(draft)
}

fn android(line: &str) -> Option<Draft<'_>> {
    let (tag, rest) = line[2..].split_once('(')?;
    let (process, message) = rest.split_once("): ")?;
    let process = process.trim_start();
    let pid = process.parse().ok()?;
    if tag.is_empty() || tag.len() > 64 {
        return None;
    }
    let mut draft = Draft {
        level: level::of_letter(line.as_bytes()[0]),
        component: Cow::Borrowed(tag.trim_end()),
        message: Cow::Borrowed(message),
        pid: Some(pid),
        ..Draft::default()
    };
    draft.context.digits("pid", process);
    Some(draft)
}

/// Parses process, role (child, replica, master, sentinel), time, mark.
fn redis<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let end = line
        .bytes()
        .take(11)
        .position(|byte| !byte.is_ascii_digit())?;
    let (process, rest) = line.split_at(end);
    let rest = rest.strip_prefix(':')?;
    let role = rest.get(..2)?;
    if !matches!(role, "C " | "S " | "M " | "X ") {
        return None;
    }
    let found = stamp::leading(&rest[2..], clock)?;
    let mut draft = marked(found.rest)?;
    draft.stamp = found.stamp;
    draft.pid = process.parse().ok();
    draft.context.digits("pid", process);
    draft.context.name("role", role.trim_end());
    Some(draft)
}

/// Parses ` # message`: the mark of Redis.
pub(crate) fn marked(text: &str) -> Option<Draft<'_>> {
    let (mark, message) = text.strip_prefix(' ')?.split_at_checked(1)?;
    let level = match mark {
        "." | "-" => Level::Debug,
        "*" => Level::Info,
        "#" => Level::Warn,
        _ => return None,
    };
    let message = message.strip_prefix(' ')?;
    Some(Draft {
        level: Some(level),
        message: Cow::Borrowed(message),
        ..Draft::default()
    })
}
