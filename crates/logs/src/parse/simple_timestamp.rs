//! A time stamp and a message, as scripts and many programs write them.
//!
//! ```text
//! [2026-11-23 00:10:49] message
//! 2026-11-23 00:10:49,123 - name - ERROR - message           Python's logging, usual format
//! 2026-11-23 00:10:49.123 WARN  [main] org.example.Main: …   Java's, usual patterns
//! 2026-11-23T00:10:49.808228Z  INFO api::server: message     Rust's tracing
//! 2026/11/23 00:10:49 [error] 12#12: *1 message              nginx's error log
//! ```
//!
//! The level stands directly behind the time stamp, in capitals, in brackets or before a colon.

use std::borrow::Cow;

use super::time::{self, Clock};
use super::{Draft, Parsed, State, level, tracing};
use crate::event::Level;

/// Letters of a logger's name at most.
const NAME: usize = 128;

/// See [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    if let Some(draft) = tracing::timed(line, clock) {
        return Parsed::Event(draft);
    }
    let (open, rest) = match line.strip_prefix('[') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let Some((civil, end)) = time::iso(rest) else {
        return Parsed::Headless;
    };
    let (zone, length) = time::zone(&rest[end..]);
    let rest = &rest[end + length..];
    let rest = match (open, rest.strip_prefix(']')) {
        (true, Some(rest)) => rest,
        (true, None) => return Parsed::Headless,
        (false, _) => rest,
    };
    // `2026-11-23 00:10:491` is no time stamp.
    if rest.starts_with(|c: char| c.is_alphanumeric()) {
        return Parsed::Headless;
    }
    let mut draft = Draft {
        stamp: Some(clock.stamp(civil, zone)),
        ..Draft::default()
    };
    after_time(rest.trim_start_matches([' ', ':', '|', '\t']), &mut draft);
    Parsed::Event(draft)
}

fn after_time<'a>(text: &'a str, draft: &mut Draft<'a>) {
    let dashed = text.strip_prefix("- ");
    let text = dashed.unwrap_or(text);
    let Some((word, level, rest)) = bracketed(text).or_else(|| bare(text)) else {
        if dashed.is_some() {
            return dashes(text, draft);
        }
        draft.level = level::leading(text);
        draft.message = Cow::Borrowed(text);
        return;
    };
    set(draft, word, level);
    let rest = nginx(rest, draft);
    let rest = thread(rest, draft);
    draft.message = Cow::Borrowed(match logger(rest) {
        Some((name, message)) => {
            draft.component = Cow::Borrowed(name);
            message
        }
        None => rest,
    });
}

fn set<'a>(draft: &mut Draft<'a>, word: &'a str, level: Level) {
    draft.level = Some(level);
    if level::is_finer(word, level) {
        draft.severity = word;
    }
}

/// `name - LEVEL - message`, `LEVEL - message`.
fn dashes<'a>(text: &'a str, draft: &mut Draft<'a>) {
    let mut rest = text;
    for place in 0..2 {
        let Some((word, after)) = rest
            .split_once(" - ")
            .filter(|(word, _)| word.len() <= NAME)
        else {
            break;
        };
        if let Some(level) = level::of_word(word) {
            set(draft, word, level);
            draft.message = Cow::Borrowed(after);
            return;
        }
        if place > 0 || word.contains(' ') {
            break;
        }
        draft.component = Cow::Borrowed(word);
        rest = after;
    }
    draft.component = Cow::Borrowed("");
    draft.message = Cow::Borrowed(text);
}

/// `[error] …`, `<warn> …`.
fn bracketed(text: &str) -> Option<(&str, Level, &str)> {
    let close = match text.as_bytes().first()? {
        b'[' => ']',
        b'<' => '>',
        _ => return None,
    };
    let (word, rest) = text[1..].split_once(close)?;
    let word = word.trim();
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    Some((
        word,
        level::of_word(word)?,
        rest.trim_start_matches([' ', '-']),
    ))
}

/// `ERROR …`, `Error: …`, `WARN | …`.
fn bare(text: &str) -> Option<(&str, Level, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (word, rest) = text.split_at(end);
    let level = level::of_word(word)?;
    let capitals = !word.bytes().any(|byte| byte.is_ascii_lowercase());
    let rest = match rest.strip_prefix(':') {
        Some(rest) => rest,
        None if capitals => rest.trim_start_matches([' ', '|', '-', '\t']),
        None => return None,
    };
    Some((word, level, rest.trim_start_matches(' ')))
}

/// `12#34: *56 `: process, thread and connection of nginx.
fn nginx<'a>(text: &'a str, draft: &mut Draft<'_>) -> &'a str {
    let read = || {
        let (ids, rest) = text.split_once(": ")?;
        let (process, thread) = ids.split_once('#')?;
        thread.parse::<u32>().ok()?;
        Some((process.parse::<u32>().ok()?, rest))
    };
    let Some((pid, rest)) = read() else {
        return text;
    };
    draft.pid = Some(pid);
    draft.context.number("pid", pid.into());
    match rest.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            draft.context.digits("connection", number);
            rest
        }
        _ => rest,
    }
}

/// `[main] `, `[http-nio-8080-exec-1] `: the thread, where a logger follows it.
fn thread<'a>(text: &'a str, draft: &mut Draft<'_>) -> &'a str {
    let found = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    match found {
        Some((name, rest)) if name.len() <= NAME && logger(rest.trim_start()).is_some() => {
            draft.context.name("thread_name", name);
            rest.trim_start()
        }
        _ => text,
    }
}

/// `org.example.Main: message`, `api::db - message`: a name with parts, so that a word of the message
/// is not taken for one.
fn logger(text: &str) -> Option<(&str, &str)> {
    let end = text.find(' ')?;
    let (word, rest) = text.split_at(end);
    let (name, rest) = match word.strip_suffix(':') {
        Some(name) => (name, rest.trim_start()),
        None => (
            word,
            rest.trim_start().strip_prefix(['-', ':'])?.trim_start(),
        ),
    };
    let parts = name.contains("::") || name.contains('.');
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (parts && begins && name.len() <= NAME && name.bytes().all(plain)).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect;

    #[test]
    fn time_level_and_name_are_found_where_they_stand() {
        expect(
            "simple_timestamp",
            &[
                ("[2026-11-23 00:10:49] up", "2026-11-23T00:10:49Z info : up"),
                ("2026-11-23 00:10:49 up", "2026-11-23T00:10:49Z info : up"),
                (
                    "2026-11-23T00:10:49+01:00 up",
                    "2026-11-22T23:10:49Z info : up",
                ),
                (
                    "[2026-11-23 00:10:49] [ERROR] no",
                    "2026-11-23T00:10:49Z error : no",
                ),
                (
                    "[2026-11-23 00:10:49] WARNING: low",
                    "2026-11-23T00:10:49Z warn : low",
                ),
                (
                    "[2026-11-23 00:10:49] error: low",
                    "2026-11-23T00:10:49Z error : low",
                ),
                (
                    "[2026-11-23 00:10:49] an ERROR here",
                    "2026-11-23T00:10:49Z info : an ERROR here",
                ),
                (
                    "[2026-11-23 00:10:49] Error in it",
                    "2026-11-23T00:10:49Z info : Error in it",
                ),
                (
                    "2026-11-23 00:10:49,123 - app.db - CRITICAL - no",
                    "2026-11-23T00:10:49.123Z error app.db: no {\"severity\":\"CRITICAL\"}",
                ),
                (
                    "2026-11-23 00:10:49,123 - WARN  [Peer:Election@774] - late",
                    "2026-11-23T00:10:49.123Z warn : [Peer:Election@774] - late",
                ),
                (
                    "2026-11-23 00:10:49,123 - a - b - c",
                    "2026-11-23T00:10:49.123Z info : a - b - c",
                ),
                (
                    "2026-11-23 00:10:49.123 WARN  [main] org.example.Main: slow",
                    "2026-11-23T00:10:49.123Z warn org.example.Main: slow {\"thread_name\":\"main\"}",
                ),
                (
                    "2026-11-23T00:10:49.808228Z  INFO api::server: up",
                    "2026-11-23T00:10:49.808228Z info api::server: up",
                ),
                (
                    "2026/11/23 00:10:49 [error] 12#13: *4 open() failed",
                    "2026-11-23T00:10:49Z error : open() failed {\"pid\":12,\"connection\":4}",
                ),
                (
                    "2026-13-23 00:10:49 no such month",
                    "2026-11-23T12:00:00Z info : 2026-13-23 00:10:49 no such month {\"ts_inferred\":true}",
                ),
                (
                    "2026-02-29 00:10:49 no such day",
                    "2026-11-23T12:00:00Z info : 2026-02-29 00:10:49 no such day {\"ts_inferred\":true}",
                ),
                (
                    "2026-11-22 23:59:60 leap",
                    "2026-11-23T00:00:00Z info : leap",
                ),
                (
                    "2026-11-22 24:00:00 midnight",
                    "2026-11-23T00:00:00Z info : midnight",
                ),
                (
                    "0000-01-01 00:00:00 x",
                    "2016-11-25T12:00:00Z info : x {\"ts_clamped\":true}",
                ),
                (
                    "9999-12-31 23:59:59 x",
                    "2036-11-20T12:00:00Z info : x {\"ts_clamped\":true}",
                ),
                (
                    "294277-01-01 00:00:00 x",
                    "2036-11-20T12:00:00Z info : x {\"ts_clamped\":true}",
                ),
            ],
        );
    }
}
