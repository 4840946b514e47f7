//! A time stamp, perhaps level and names, and a message, as scripts and most programs write them.
//!
//! ```text
//! [2026-11-23 00:10:49] message
//! 2026-11-23 00:10:49,123 - name - ERROR - message           Python's logging, usual format
//! 2026-11-23 00:10:49.123 WARN  [main] org.example.Main: …   Java's, usual patterns
//! 2026-11-23T00:10:49.808228Z  INFO api::server: message     Rust's tracing
//! 2026/11/23 00:10:49 [error] 12#12: *1 message              nginx's error log
//! [23-Nov-2026 00:10:49 UTC] PHP Fatal error:  message       PHP
//! {"level":"error","msg":"message"}   level=error msg=message
//! ```
//!
//! [`stamp`] reads the time, [`head`] what is between it and the message, [`letters`], [`json`] and
//! [`logfmt`] the formats that are put together in another way. The first byte decides which are tried.
//!
//! A line may begin with its level and have its time after it, or none (`ERROR: message`): such a line
//! begins an event, unless it is within a stack trace.

use std::borrow::Cow;

use super::head::{self, Mark, Piece};
use super::stamp::{self, Form, Found};
use super::time::{self, Clock, Zone};
use super::trace::Trace;
use super::{Draft, Parsed, State, faults, json, letters, level, logfmt, tracing};
use crate::event::Level;

/// Blanks before a time at most: what stands further in is part of something else.
const INDENT: usize = 6;
/// Pieces before a time at most.
const PIECES: usize = 4;

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    match read(line, clock) {
        Some(draft) if is_trace_of_php(&draft.message) => Parsed::More(draft),
        Some(draft) => Parsed::Event(draft),
        None => Parsed::Headless,
    }
}

/// Returns the event that a line begins, if it begins one.
pub(crate) fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    match line.as_bytes().first()? {
        b'0'..=b'9' => match stamp::leading(line, clock) {
            Some(found) => after(found, clock),
            None => letters::read(line, clock).or_else(|| zabbix(line, clock)),
        },
        b'[' => in_brackets(line, clock).or_else(|| level_first(line, clock)),
        b'{' => json::object(line).and_then(|object| {
            let mut draft = json::event(object, line, clock)?;
            draft.is_weak = draft.stamp.is_none();
            draft.whole = !draft.is_weak;
            Some(draft)
        }),
        b' ' => indented(line, clock),
        b'@' => after(stamp::leading(line, clock)?, clock),
        b'=' => erlang(line, clock),
        b'<' => systemd(line, clock),
        b'A'..=b'Z' => match stamp::leading(line, clock) {
            Some(found) => after(found, clock),
            None => letters::read(line, clock)
                .or_else(|| level_first(line, clock))
                .or_else(|| pairs(line, clock)),
        },
        b'a'..=b'z' => pairs(line, clock)
            .or_else(|| audit(line, clock))
            .or_else(|| level_first(line, clock)),
        _ => None,
    }
}

/// Returns what follows a time.
fn after<'a>(found: Found<'a>, clock: &mut Clock) -> Option<Draft<'a>> {
    let rest = found.rest;
    match found.form {
        Form::Java => return java(found),
        // A number at the beginning is a time only where a colon states it.
        Form::Seconds if !rest.starts_with(':') => return None,
        Form::Rfc3339 => {
            if let Some(text) = rest.strip_prefix(' ')
                && !text.contains(" --- [")
                && let Some(mut draft) = tracing::levelled(text)
            {
                draft.stamp = found.stamp;
                return Some(draft);
            }
        }
        _ => {}
    }
    if let Some(mut draft) = structured(rest.trim_start_matches([' ', ':', '\t']), clock) {
        draft.stamp = draft.stamp.or(found.stamp);
        return Some(draft);
    }
    let mut draft = Draft::default();
    let is_levelled = head::read(rest, &mut draft);
    if found.form == Form::Clock {
        if !is_levelled {
            return None;
        }
        draft.context.name("time_of_day", found.text);
    } else if found.stamp.is_none() {
        draft.context.name("time", found.text);
    }
    draft.stamp = found.stamp;
    guess(&mut draft);
    Some(draft)
}

/// Sets the level by fixed words of a message, if its head has none.
fn guess(draft: &mut Draft<'_>) {
    if draft.level.is_none() {
        draft.level = faults::of_errno(&draft.message);
    }
}

/// Returns a JSON object or pairs of logfmt.
pub(crate) fn structured<'a>(text: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let object = match text.as_bytes().first()? {
        b'{' => json::object(text),
        b'a'..=b'z' | b'@' => logfmt::object(text),
        _ => None,
    };
    json::event(object?, text, clock)
}

fn pairs<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let mut draft = json::event(logfmt::object(line)?, line, clock)?;
    draft.is_weak = draft.stamp.is_none();
    Some(draft)
}

/// Parses `[time] …`, `[time zone] …`, `[time: ERROR/MainProcess] …`, `[   12.345678] …` of the kernel.
fn in_brackets<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let inner = &line[1..];
    let Some(found) = stamp::leading(inner, clock) else {
        return kernel(line);
    };
    if let Some(rest) = found.rest.strip_prefix(']') {
        // Brackets leave no doubt that a number is a time.
        let form = match found.form {
            Form::Seconds => Form::Fraction,
            form => form,
        };
        return after(
            Found {
                rest,
                form,
                ..found
            },
            clock,
        );
    }
    let (within, rest) = found.rest.split_once(']')?;
    if within.len() > 64 || within.contains('[') {
        return None;
    }
    let mut draft = Draft::default();
    if is_unknown_zone(within) {
        let end = line.len() - rest.len() - 1;
        draft.context.name("time", &line[1..end]);
        head::read(rest, &mut draft);
        guess(&mut draft);
        return Some(draft);
    }
    // Level and names within the brackets, the message after them.
    let inner = within.trim_start_matches([' ', ':', ',']);
    let of_process = inner
        .split_once('/')
        .and_then(|(word, name)| Some((level::of_word(word)?, word, name)));
    if let Some((level, word, name)) = of_process {
        draft.set_level(word, level);
        draft.component = Cow::Borrowed(name);
        draft.message = Cow::Borrowed(rest.trim_start());
    } else if head::read(within, &mut draft) {
        draft.message = Cow::Borrowed(rest.trim_start_matches([' ', ':']));
    } else {
        draft = Draft::default();
        draft.context.text("head", inner);
        head::read(rest, &mut draft);
    }
    if found.form == Form::Clock {
        draft.level?;
        draft.context.name("time_of_day", found.text);
    }
    draft.stamp = found.stamp;
    guess(&mut draft);
    Some(draft)
}

/// Returns whether the text is ` Mars/Olympus`, ` XYZT`: a zone that has no meaning here, so that the time has none.
fn is_unknown_zone(text: &str) -> bool {
    let Some(Zone::Name(name)) = time::whole_zone(text) else {
        return false;
    };
    let capitals = (3..=5).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_uppercase());
    let is_place = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains('/');
    let is_level = name.split('/').any(|word| level::of_name(word).is_some());
    (capitals || is_place) && !is_level
}

/// Returns a time after blanks, as a few programs fill it up; only with a level, as most indented lines continue
/// with the line before.
fn indented<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let text = line.trim_start_matches(' ');
    if line.len() - text.len() > INDENT || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match stamp::leading(text, clock) {
        Some(found) if matches!(found.form, Form::Rfc3339 | Form::Whole) => {
            after(found, clock).filter(|draft| draft.level.is_some())
        }
        _ => zabbix(text, clock),
    }
}

/// Parses `1234:20261129:064201.123 message`: process, date and time.
fn zabbix<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let (process, rest) = line.split_once(':')?;
    let pid = process.parse().ok().filter(|_| process.len() <= 10)?;
    if rest.as_bytes().get(8) != Some(&b':') {
        return None;
    }
    let found = stamp::leading(rest, clock)?;
    let mut draft = after(found, clock)?;
    draft.pid = Some(pid);
    draft.context.digits("pid", process);
    Some(draft)
}

/// Parses `org.example.Main method`, with level and message on the next line (`SEVERE: message`).
fn java(found: Found<'_>) -> Option<Draft<'_>> {
    let text = found.rest.trim_start();
    let (class, method) = text.split_once(' ').unwrap_or((text, ""));
    let mut draft = Draft {
        stamp: found.stamp,
        ..Draft::default()
    };
    if class.is_empty() || method.contains(' ') {
        head::read(text, &mut draft);
        return Some(draft);
    }
    draft.component = Cow::Borrowed(class);
    draft.context.name("method", method);
    draft.message = Cow::Borrowed(text);
    draft.awaits = true;
    Some(draft)
}

/// Parses `=ERROR REPORT==== 29-Nov-2026::06:42:01.123456 ===`: a report of Erlang, on the lines that follow.
fn erlang<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    const KINDS: &[(&str, Level)] = &[
        ("ERROR", Level::Error),
        ("CRASH", Level::Error),
        ("SUPERVISOR", Level::Error),
        ("CRITICAL", Level::Error),
        ("ALERT", Level::Error),
        ("EMERGENCY", Level::Error),
        ("WARNING", Level::Warn),
        ("INFO", Level::Info),
        ("NOTICE", Level::Info),
        ("PROGRESS", Level::Info),
        ("DEBUG", Level::Debug),
    ];
    let (kind, rest) = line.strip_prefix('=')?.split_once(" REPORT====")?;
    let (_, level) = KINDS.iter().find(|(known, _)| *known == kind)?;
    let found = stamp::leading(rest.trim_start(), clock)?;
    let end = 1 + kind.len() + " REPORT".len();
    Some(Draft {
        stamp: found.stamp,
        level: Some(*level),
        message: Cow::Borrowed(&line[1..end]),
        awaits: true,
        trace: Trace::Report,
        ..Draft::default()
    })
}

/// Parses `<3>message`, as services write for systemd to take the level from; `<3>[ 12.3] message` of the kernel.
fn systemd<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let bytes = line.as_bytes();
    let (Some(digit @ b'0'..=b'7'), Some(b'>')) = (bytes.get(1), bytes.get(2)) else {
        return level_first(line, clock);
    };
    let (level, word) = level::of_severity(digit - b'0')?;
    let text = &line[3..];
    // Once: a line of nothing but such marks is not a reason to go deep.
    let inner = if text.starts_with('<') {
        None
    } else {
        read(text, clock)
    };
    let mut draft = inner.unwrap_or_else(|| Draft {
        message: Cow::Borrowed(text),
        ..Draft::default()
    });
    draft.severity = "";
    draft.set_level(word, level);
    Some(draft)
}

/// Parses `[   12.345678] message`: the kernel's own buffer, with the time since the start of the machine.
fn kernel(line: &str) -> Option<Draft<'_>> {
    let (uptime, message) = head::bracket(line)?;
    let message = message.strip_prefix(' ')?;
    if !faults::is_uptime(uptime.trim_start()) {
        return None;
    }
    let mut draft = Draft {
        level: faults::of_kernel(message),
        component: Cow::Borrowed("kernel"),
        message: Cow::Borrowed(message),
        ..Draft::default()
    };
    draft.context.name("uptime", uptime.trim_start());
    // X.Org writes the same and a mark.
    if let Some(mark) = head::mark(message, false).filter(|_| message.starts_with('(')) {
        draft.level = Some(mark.level);
        draft.component = Cow::Borrowed("");
    }
    Some(draft)
}

/// Returns a line that begins with its level, or with a process, and has its time after that; or none.
fn level_first<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let first = head::mark(line, false);
    if let Some(mark) = &first
        && !is_level_of_line(line, mark.word)
    {
        return None;
    }
    let mut process = "";
    let mut rest = first.as_ref().map_or(line, |mark| mark.rest);
    for place in 0..PIECES {
        if place > 0 || first.is_some() {
            let inner = rest.strip_prefix('[').unwrap_or(rest);
            let found = stamp::leading(inner, clock).filter(|found| found.form != Form::Seconds);
            if let Some(found) = found {
                let after_time = if inner.len() < rest.len() {
                    found.rest.strip_prefix(']')?
                } else {
                    found.rest
                };
                let found = Found {
                    rest: after_time,
                    ..found
                };
                return timed_behind(first.as_ref(), process, found, clock);
            }
        }
        match head::piece(rest) {
            Some((Piece::Process(id), after)) => {
                process = id;
                rest = after.trim_start();
            }
            Some((Piece::Number(_) | Piece::Thread(_) | Piece::Rule, after)) => {
                rest = after.trim_start();
            }
            _ => break,
        }
    }
    first.map(|mark| untimed(line, &mark))
}

/// Returns a line whose level or process is before its time.
fn timed_behind<'a>(
    first: Option<&Mark<'a>>,
    process: &'a str,
    found: Found<'a>,
    clock: &mut Clock,
) -> Option<Draft<'a>> {
    // Behind a level a time of day is enough.
    let form = match found.form {
        Form::Clock if first.is_some() => Form::Whole,
        form => form,
    };
    // `[1] 29 Nov 06:42:01.123 # message`: Redis, before it wrote its role.
    let marked = letters::marked(found.rest).filter(|_| first.is_none() && !process.is_empty());
    let mut draft = match marked {
        Some(draft) => Draft {
            stamp: found.stamp,
            ..draft
        },
        None => after(Found { form, ..found }, clock)?,
    };
    if let Some(mark) = first {
        draft.severity = "";
        draft.set_level(mark.word, mark.level);
    }
    if draft.pid.is_none() && !process.is_empty() {
        draft.pid = process.parse().ok();
        draft.context.digits("pid", process);
    }
    Some(draft)
}

/// Returns a line with a level and without a time.
fn untimed<'a>(line: &'a str, mark: &Mark<'a>) -> Draft<'a> {
    let mut draft = Draft {
        message: Cow::Borrowed(mark.rest),
        is_weak: true,
        ..Draft::default()
    };
    draft.set_level(mark.word, mark.level);
    // `ERROR:root:message`, as Python writes before logging is set up.
    if let Some((name, message)) = mark.rest.split_once(':')
        && line[..line.len() - mark.rest.len()].ends_with(':')
        && !message.starts_with([' ', ':', '/'])
        && !name.is_empty()
        && name.len() <= 64
        && !name.contains(' ')
    {
        draft.component = Cow::Borrowed(name);
        draft.message = Cow::Borrowed(message);
    }
    draft
}

/// Returns whether a level at the beginning of a line is set apart enough to be one without a time: in
/// brackets, before a colon, or a word in capitals that is not one of a language.
fn is_level_of_line(line: &str, word: &str) -> bool {
    let Some(after) = line.strip_prefix(word).filter(|_| !word.is_empty()) else {
        return line.starts_with(['[', '<']);
    };
    if after.starts_with([':', '[', '\t', '|']) {
        return true;
    }
    level::of_capitals(word).is_some()
}

/// Parses `type=SYSCALL msg=audit(1795392649.123:7): …`: the kernel's audit. The time is in its number.
fn audit<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let rest = match line.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ')?.1,
        None => line,
    };
    let (kind, rest) = rest.strip_prefix("type=")?.split_once(" msg=audit(")?;
    let (number, message) = rest.split_once("):")?;
    let (time, serial) = number.split_once(':')?;
    let (seconds, micros, end, _) = time::epoch(time)?;
    if end != time.len() || kind.contains(' ') {
        return None;
    }
    let mut draft = Draft {
        stamp: Some(clock.epoch(seconds, micros)),
        component: Cow::Borrowed(kind),
        message: Cow::Borrowed(message.trim_start()),
        ..Draft::default()
    };
    draft.context.digits("serial", serial);
    Some(draft)
}

/// Returns what PHP writes with its own time below its message, where `log_errors` and a debugger are on.
fn is_trace_of_php(message: &str) -> bool {
    message.strip_prefix("PHP ").is_some_and(|rest| {
        rest.starts_with("Stack trace:")
            || rest.strip_prefix("  ").is_some_and(|rest| {
                let rest = rest.trim_start();
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                digits > 0 && rest[digits..].starts_with(". ")
            })
    })
}

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace_tests;
