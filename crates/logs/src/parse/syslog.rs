//! Syslog, as files hold it and as it is sent.
//!
//! ```text
//! [<PRI>]Nov 23 00:10:49 host program[pid]: message                 RFC 3164, rsyslog's and syslog-ng's files
//! [<PRI>]2026-02-15T00:00:54.808228-06:00 host program[pid]: …      the same with an ISO time stamp
//! <PRI>1 2026-02-15T00:00:54Z host program pid msgid [sd] message   RFC 5424
//! ```
//!
//! Files have no priority as a rule; some have facility and level as words ([`facility`]). Otherwise the
//! level is that of the message: of the object or the pairs that it is, of its own head, of the
//! word that it begins with; of the kernel and of errors of the system that of their fixed words
//! ([`faults`]). Every other message is `info`.
//!
//! A line that is not of syslog is read as [`simple_timestamp`] does: this is the parser of files whose
//! format is not configured.

use std::borrow::Cow;

use super::context::Context;
use super::stamp::{self, Form};
use super::time::{self, Clock};
use super::{Draft, Parsed, State, facility, faults, find_near, head, level, simple_timestamp};

/// Letters of a program's name at most; RFC 5424 has 48, some programs put a path there.
const PROGRAM: usize = 96;
/// Bytes of structured data that are kept.
const STRUCTURED: usize = 4096;
/// Names under which the kernel's own messages come.
const KERNEL: &[&str] = &["kernel", "/bsd", "/kernel", "vmunix"];

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(state: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    let (priority, rest) = priority(line);
    let mut draft = state.draft();
    if let Some(priority) = priority
        && let Some((level, word)) = level::of_severity(priority & 7)
    {
        draft.set_level(word, level);
    }
    let read = match rest.strip_prefix("1 ").filter(|_| priority.is_some()) {
        Some(rest) => rfc5424(rest, clock, &mut draft),
        None => traditional(rest, clock, &mut draft),
    };
    match read {
        Some(Tagged::Yes) => Parsed::Event(draft),
        // A time and words: of a program that writes its file itself, if that gives a level.
        Some(tagged) => match simple_timestamp::read(rest, clock) {
            Some(other) if other.level.is_some() || tagged == Tagged::Never => {
                Parsed::Event(match priority {
                    Some(_) => Draft {
                        level: draft.level,
                        severity: draft.severity,
                        ..other
                    },
                    None => other,
                })
            }
            _ => Parsed::Event(draft),
        },
        None if priority.is_some() => {
            let Some(other) = simple_timestamp::read(rest, clock) else {
                return simple_timestamp::line(state, line, clock);
            };
            let (level, severity) = (draft.level, draft.severity);
            Parsed::Event(Draft {
                level,
                severity,
                ..other
            })
        }
        None => simple_timestamp::line(state, line, clock),
    }
}

/// Whether a line has what only syslog writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tagged {
    Yes,
    /// It may be of another format.
    No,
    /// It is of another format: no daemon of syslog writes such a time.
    Never,
}

/// How the date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Date {
    Month,
    Rfc3339,
    Iso,
}

/// Parses `<13>`: facility times eight and severity, at most 191.
fn priority(line: &str) -> (Option<u8>, &str) {
    let found = line.strip_prefix('<').and_then(|rest| {
        let end = rest.bytes().take(4).position(|byte| byte == b'>')?;
        let priority = rest[..end]
            .parse::<u8>()
            .ok()
            .filter(|priority| *priority <= 191)?;
        Some((priority, &rest[end + 1..]))
    });
    match found {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    }
}

/// Parses time, host and tag. What the RFC calls the content may lack a tag.
fn traditional<'a>(line: &'a str, clock: &mut Clock, draft: &mut Draft<'a>) -> Option<Tagged> {
    let mut facility = facility::word(line);
    let text = facility.map_or(line, |(_, _, rest)| rest);
    // What socklog has of the kernel has no time.
    if let Some((level, word, rest)) = facility
        && line.starts_with("kern.")
        && !rest.starts_with(|first: char| first.is_ascii_alphanumeric())
    {
        draft.set_level(word, level);
        draft.component = Cow::Borrowed("kernel");
        content("kernel", rest, draft, clock);
        return Some(Tagged::Yes);
    }
    let (date, rest) = leading_time(text, clock, draft)?;
    let mut rest = rest.trim_start_matches(' ');
    let mut is_local = facility.is_some();
    if let Some(found) = facility::word(rest).or_else(|| facility::in_brackets(rest)) {
        // Behind svlogd's time stands the time of syslog once more.
        is_local = !rest.starts_with('<');
        facility = Some(found);
        rest = match stamp::month_first(found.2, clock) {
            Some(again) => again.rest.trim_start_matches(' '),
            None => found.2,
        };
    }
    let (host, mut rest) = split_host(rest, is_local);
    if facility.is_none()
        && let Some(found) = facility::word(rest)
    {
        facility = Some(found);
        rest = found.2;
    }
    if let Some((level, word, _)) = facility {
        draft.set_level(word, level);
    }
    draft.context.name("host", host);
    let is_tagged = tag(rest, draft, clock);
    let is_sure = is_tagged && level::of_name(host).is_none() || facility.is_some();
    Some(match date {
        _ if is_sure => Tagged::Yes,
        // `Nov 29 06:42:01 ERROR message`: a level stands where the host would.
        Date::Month if level::of_capitals(host).is_some() => Tagged::No,
        Date::Month => Tagged::Yes,
        Date::Rfc3339 => Tagged::No,
        Date::Iso => Tagged::Never,
    })
}

/// Parses the time that a line begins with. Returns its form and the rest of the line.
fn leading_time<'a>(
    text: &'a str,
    clock: &mut Clock,
    draft: &mut Draft<'a>,
) -> Option<(Date, &'a str)> {
    let first = *text.as_bytes().first()?;
    match first {
        b'0'..=b'9' => {
            let (civil, end) = time::iso(text)?;
            let (zone, length) = time::zone(&text[end..]);
            draft.stamp = clock.stamp(civil, zone);
            let is_iso = zone == time::Zone::Local || text.as_bytes().get(10) != Some(&b'T');
            let date = if is_iso { Date::Iso } else { Date::Rfc3339 };
            Some((date, &text[end + length..]))
        }
        b'A'..=b'Z' | b'a'..=b'z' | b'@' => {
            let found = stamp::leading(text, clock)?;
            let is_month = found.form == Form::Whole && time::month(&text[..3]).is_some();
            // Other times occur in syslog only before a facility.
            if !is_month && facility::word(found.rest.trim_start()).is_none() {
                return None;
            }
            draft.stamp = found.stamp;
            // Cisco writes a colon here.
            let rest = found.rest.strip_prefix(": ").unwrap_or(found.rest);
            Some((Date::Month, rest))
        }
        _ => None,
    }
}

/// Splits off the host; empty if there is none, as in syslogd's own lines: a word that ends in a colon is
/// the tag, and so is one in brackets, as metalog writes it.
fn split_host(rest: &str, is_local: bool) -> (&str, &str) {
    let blank = memchr::memchr(b' ', rest.as_bytes());
    match blank.map(|at| (&rest[..at], &rest[at + 1..])) {
        Some((host, after))
            if !(host.ends_with(':') || host.starts_with('[') || is_local && is_tag(host)) =>
        {
            (host, after)
        }
        _ => ("", rest),
    }
}

/// Returns whether the text is `prog[12]:`, `prog:`
fn is_tag(word: &str) -> bool {
    word.ends_with(':') || word.ends_with(']')
}

/// Returns whether the text is `program[pid]: message`. Whether there is a tag.
fn tag<'a>(text: &'a str, draft: &mut Draft<'a>, clock: &mut Clock) -> bool {
    let end = find_near(text, PROGRAM, |byte| matches!(byte, b'[' | b':' | b' ')).unwrap_or(0);
    let (program, after) = text.split_at(end);
    let message = match after.as_bytes().first() {
        Some(b'[') => {
            let close = find_near(after, PROGRAM, |byte| byte == b']').unwrap_or(0);
            let after_pid = after[close..].strip_prefix(']').unwrap_or_default();
            let colon = after_pid.strip_prefix(':');
            // `program[pid] message` is written by some; `word [bracket]` is a message.
            if end == 0 || close < 2 || (colon.is_none() && !after_pid.starts_with(' ')) {
                content("", text, draft, clock);
                return false;
            }
            process(&after[1..close], draft);
            colon.unwrap_or(after_pid)
        }
        Some(b':') if end > 0 && matches!(after.as_bytes().get(1), None | Some(b' ')) => {
            &after[1..]
        }
        _ => {
            content("", text, draft, clock);
            return false;
        }
    };
    draft.component = Cow::Borrowed(program);
    content(program, message, draft, clock);
    true
}

fn process(text: &str, draft: &mut Draft<'_>) {
    draft.pid = text.parse().ok();
    draft.context.digits("pid", text);
}

/// Sets the message, without what the kernel and Solaris put before theirs, and its level.
fn content<'a>(program: &str, message: &'a str, draft: &mut Draft<'a>, clock: &mut Clock) {
    // sudo writes blanks before its message, RFC 5424 allows for a byte order mark.
    let message = message.trim_start_matches(' ');
    let mut message = message.strip_prefix('\u{feff}').unwrap_or(message);
    let is_kernel = KERNEL.contains(&program);
    if is_kernel
        && let Some((uptime, rest)) = message
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        && faults::is_uptime(uptime.trim_start())
    {
        draft.context.name("uptime", uptime.trim_start());
        message = rest;
    }
    if let Some((id, rest)) = message
        .strip_prefix("[ID ")
        .and_then(|rest| rest.split_once("] "))
        && let Some((number, facility)) = id.split_once(' ')
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        if let Some((_, word)) = facility.split_once('.') {
            draft.level = level::of_word(word);
        }
        message = rest;
    }
    // `program[pid] <Error>: message`, as macOS writes.
    if let Some((word, rest)) = message
        .strip_prefix('<')
        .and_then(|rest| rest.split_once(">: "))
        && let Some(level) = level::of_word(word)
    {
        draft.set_level(word, level);
        message = rest;
    }
    if is_kernel {
        if draft.level.is_none() {
            draft.level = faults::of_kernel(message);
        }
        draft.message = colourless(message);
        return;
    }
    if formatted(message, draft, clock) {
        return;
    }
    draft.message = colourless(message);
    if draft.level.is_none() {
        draft.level = level::leading(&draft.message)
            .or_else(|| head::behind_ids(&draft.message))
            .or_else(|| facility::cisco(&draft.message))
            .or_else(|| faults::of_errno(&draft.message));
    }
}

/// Takes level, message and the rest from a message with its own format: a JSON object, pairs of
/// logfmt, a time and a level as [`simple_timestamp`] reads them. `false` where it has none.
fn formatted<'a>(message: &'a str, draft: &mut Draft<'a>, clock: &mut Clock) -> bool {
    let text = message
        .strip_prefix("@cee:")
        .unwrap_or(message)
        .trim_start();
    let other = match text.as_bytes() {
        [b'{', ..] => simple_timestamp::structured(text, clock),
        [b'0'..=b'9', ..] | [b'[', b'0'..=b'9', ..] => with_time_and_level(text, clock),
        [
            b'I' | b'W' | b'E' | b'F' | b'D' | b'A',
            b'0'..=b'9' | b',',
            ..,
        ] => with_time_and_level(text, clock),
        [b'a'..=b'z', ..]
            if memchr::memchr(b'=', &text.as_bytes()[..text.len().min(16)]).is_some() =>
        {
            simple_timestamp::structured(text, clock)
        }
        _ => None,
    };
    let Some(other) = other else {
        return false;
    };
    draft.context.name("logger", &other.component);
    draft.context.absorb(other.context);
    draft.message = other.message;
    if other.level.is_some() {
        draft.level = other.level;
        draft.severity = other.severity;
    }
    // What a text states has no zone as a rule, an object's time has one.
    if text.starts_with('{') || draft.stamp.is_none() || is_pair(text) {
        draft.stamp = other.stamp.or(draft.stamp);
    }
    true
}

fn is_pair(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn with_time_and_level<'a>(text: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    simple_timestamp::read(text, clock)
        .filter(|draft| draft.level.is_some() && draft.stamp.is_some())
}

/// Returns the text without the colours of a terminal, whose ESC rsyslog writes as `#033`.
fn colourless(message: &str) -> Cow<'_, str> {
    if memchr::memchr(b'#', message.as_bytes()).is_none() || !message.contains("#033[") {
        return Cow::Borrowed(message);
    }
    let mut out = String::with_capacity(message.len());
    for (at, piece) in message.split("#033[").enumerate() {
        let end = piece
            .bytes()
            .position(|byte| !(byte.is_ascii_digit() || byte == b';'));
        match end.filter(|end| at > 0 && piece.as_bytes()[*end] == b'm') {
            Some(end) => out.push_str(&piece[end + 1..]),
            None => {
                if at > 0 {
                    out.push_str("#033[");
                }
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

fn rfc5424<'a>(rest: &'a str, clock: &mut Clock, draft: &mut Draft<'a>) -> Option<Tagged> {
    let (ts, rest) = rest.split_once(' ')?;
    if ts != "-" {
        let (civil, end) = time::iso(ts)?;
        let (zone, length) = time::zone(&ts[end..]);
        if end + length != ts.len() {
            return None;
        }
        draft.stamp = clock.stamp(civil, zone);
    }
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (pid, rest) = rest.split_once(' ')?;
    let (message_id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    draft.context.name("host", host);
    if program != "-" {
        draft.component = Cow::Borrowed(program);
    }
    if pid != "-" {
        process(pid, draft);
    }
    draft.context.name("msgid", message_id);
    let message = structured(rest, &mut draft.context);
    content(program, message, draft, clock);
    Some(Tagged::Yes)
}

/// Puts the structured data into the context and gives what follows it. Malformed data are text.
fn structured<'a>(text: &'a str, context: &mut Context) -> &'a str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest;
    }
    // Each element is in brackets; anything else is a message without structured data.
    if !text.starts_with('[') {
        return text;
    }
    let bytes = text.as_bytes();
    let mut quoted = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted && bytes.get(at + 1) != Some(&b'[') => {
                let end = at + 1;
                if end <= STRUCTURED {
                    context.text("structured", &text[..end]);
                }
                return &text[end..];
            }
            _ => {}
        }
        at += 1;
    }
    text
}

#[cfg(test)]
#[path = "syslog_tests.rs"]
mod tests;
