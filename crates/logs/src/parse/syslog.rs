//! Syslog, as files hold it and as it is sent.
//!
//! ```text
//! [<PRI>]Nov 23 00:10:49 host program[pid]: message                 RFC 3164, rsyslog's and syslog-ng's files
//! [<PRI>]2026-02-15T00:00:54.808228-06:00 host program[pid]: …      the same with an ISO time stamp
//! <PRI>1 2026-02-15T00:00:54Z host program pid msgid [sd] message   RFC 5424
//! ```
//!
//! Files have no priority as a rule; then a message that begins with a level's word has that level,
//! and every other is `info`.

use std::borrow::Cow;

use super::context::Context;
use super::time::{self, Civil, Clock, Stamp};
use super::{Draft, Parsed, State, level};

/// Letters of a program's name at most; RFC 5424 has 48, some programs put a path there.
const PROGRAM: usize = 96;
/// Bytes of structured data that are kept.
const STRUCTURED: usize = 4096;

/// See [`super::PARSERS`].
pub(crate) fn line<'a>(state: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    let (priority, rest) = priority(line);
    let mut draft = state.draft();
    if let Some(priority) = priority
        && let Some((level, word)) = level::of_severity(priority & 7)
    {
        draft.level = Some(level);
        if level::is_finer(word, level) {
            draft.severity = word;
        }
    }
    let read = match rest.strip_prefix("1 ").filter(|_| priority.is_some()) {
        Some(rest) => rfc5424(rest, clock, &mut draft),
        None => traditional(rest, clock, &mut draft),
    };
    if read.is_none() {
        return Parsed::Headless;
    }
    if draft.level.is_none() {
        draft.level = level::leading(&draft.message);
    }
    Parsed::Event(draft)
}

/// `<13>`: facility times eight and severity, at most 191.
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

/// Time, host and tag. What the RFC calls the content may lack a tag.
fn traditional<'a>(line: &'a str, clock: &mut Clock, draft: &mut Draft<'a>) -> Option<()> {
    let (stamp, end) = iso(line, clock).or_else(|| month_first(line, clock))?;
    draft.stamp = Some(stamp);
    let rest = line[end..].trim_start_matches(' ');
    // Without a host, as syslogd wrote for itself: what ends in a colon is the tag; so is what stands
    // in brackets, as metalog writes.
    let (host, rest) = match rest.split_once(' ') {
        Some((host, rest)) if !host.ends_with(':') && !host.starts_with('[') => (host, rest),
        _ => ("", rest),
    };
    draft.context.name("host", host);
    tag(rest, draft);
    Some(())
}

/// `program[pid]: message`.
fn tag<'a>(text: &'a str, draft: &mut Draft<'a>) {
    let bytes = text.as_bytes();
    let end = bytes
        .iter()
        .take(PROGRAM)
        .position(|byte| matches!(byte, b'[' | b':' | b' '))
        .unwrap_or(0);
    let (program, after) = text.split_at(end);
    let message = match after.as_bytes().first() {
        Some(b'[') => {
            let close = after
                .bytes()
                .take(PROGRAM)
                .position(|byte| byte == b']')
                .unwrap_or(0);
            let after_pid = after[close..].strip_prefix(']').unwrap_or_default();
            let colon = after_pid.strip_prefix(':');
            // `program[pid] message` is written by some; `word [bracket]` is a message.
            if end == 0 || close < 2 || (colon.is_none() && !after_pid.starts_with(' ')) {
                draft.message = Cow::Borrowed(text);
                return;
            }
            process(&after[1..close], draft);
            colon.unwrap_or(after_pid)
        }
        Some(b':') if end > 0 && matches!(after.as_bytes().get(1), None | Some(b' ')) => {
            &after[1..]
        }
        _ => {
            draft.message = Cow::Borrowed(text);
            return;
        }
    };
    draft.component = Cow::Borrowed(program);
    content(program, message, draft);
}

fn process(text: &str, draft: &mut Draft<'_>) {
    draft.pid = text.parse().ok();
    draft.context.digits("pid", text);
}

/// The message, without what the kernel and Solaris put before theirs.
fn content<'a>(program: &str, message: &'a str, draft: &mut Draft<'a>) {
    // sudo writes blanks before its message, RFC 5424 allows for a byte order mark.
    let message = message.trim_start_matches(' ');
    let mut message = message.strip_prefix('\u{feff}').unwrap_or(message);
    if program == "kernel"
        && let Some((uptime, rest)) = message
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        && is_uptime(uptime.trim_start())
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
    draft.message = colourless(message);
}

/// Without the colours of a terminal, whose ESC rsyslog writes as `#033`.
fn colourless(message: &str) -> Cow<'_, str> {
    if !message.contains("#033[") {
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

fn is_uptime(text: &str) -> bool {
    text.contains('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn iso(line: &str, clock: &mut Clock) -> Option<(Stamp, usize)> {
    let (civil, end) = time::iso(line)?;
    let (zone, length) = time::zone(&line[end..]);
    Some((clock.stamp(civil, zone), end + length))
}

/// `Nov 23 00:10:49`, `Nov  3 00:10:49.123`, `Nov 23 2026 00:10:49`.
fn month_first(line: &str, clock: &mut Clock) -> Option<(Stamp, usize)> {
    let month = time::month(line.get(..3)?)?;
    let (day, end) = day(line, 3)?;
    let rest = line.get(end..)?.strip_prefix(' ')?;
    let (year, skipped) = match rest.as_bytes() {
        [a, b, c, d, b' ', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            (rest[..4].parse().ok()?, 5)
        }
        _ => (clock.year_of(month, day)?, 0),
    };
    let (of_day, length) = time::time_of_day(&rest[skipped..])?;
    let civil = Civil::new((year, month, day), of_day)?;
    let end = end + 1 + skipped + length;
    // Cisco writes a colon here.
    let colon = usize::from(line[end..].starts_with(": "));
    Some((clock.stamp(civil, time::Zone::Local), end + colon))
}

/// The day of the month after blanks, of one or two digits, and where it ends.
pub(crate) fn day(line: &str, at: usize) -> Option<(u8, usize)> {
    let bytes = line.as_bytes();
    if bytes.get(at) != Some(&b' ') {
        return None;
    }
    let from = at + 1 + usize::from(bytes.get(at + 1) == Some(&b' '));
    match (time::two(bytes, from), bytes.get(from)?) {
        (Some(day), _) => Some((day, from + 2)),
        (None, digit @ b'0'..=b'9') => Some((digit - b'0', from + 1)),
        _ => None,
    }
}

fn rfc5424<'a>(rest: &'a str, clock: &mut Clock, draft: &mut Draft<'a>) -> Option<()> {
    let (ts, rest) = rest.split_once(' ')?;
    if ts != "-" {
        let (civil, end) = time::iso(ts)?;
        let (zone, length) = time::zone(&ts[end..]);
        if end + length != ts.len() {
            return None;
        }
        draft.stamp = Some(clock.stamp(civil, zone));
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
    content(program, structured(rest, &mut draft.context), draft);
    Some(())
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
mod tests {
    use super::super::testing::{events_in, expect, told, zone};

    #[test]
    fn every_form_of_header_is_read() {
        expect(
            "syslog",
            &[
                (
                    "Nov 23 00:10:49 db1 sshd[812]: Failed password for root from 192.0.2.7 port 22 ssh2",
                    "2026-11-23T00:10:49Z info sshd: Failed password for root from 192.0.2.7 port 22 ssh2 {\"host\":\"db1\",\"pid\":812}",
                ),
                (
                    "2026-02-15T00:00:54.808228-06:00 db1 CRON[9]: (root) CMD (true)",
                    "2026-02-15T06:00:54.808228Z info CRON: (root) CMD (true) {\"host\":\"db1\",\"pid\":9}",
                ),
                (
                    "<11>Nov  3 00:10:49 db1 app: it broke",
                    "2026-11-03T00:10:49Z error app: it broke {\"host\":\"db1\"}",
                ),
                (
                    "<165>1 2026-10-11T22:14:15.003Z host.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventID=\"1011\"] \u{feff}An application event",
                    "2026-10-11T22:14:15.003Z info evntslog: An application event {\"host\":\"host.example.com\",\"msgid\":\"ID47\",\"structured\":\"[exampleSDID@32473 iut=\\\"3\\\" eventID=\\\"1011\\\"]\",\"severity\":\"notice\"}",
                ),
                (
                    "<34>1 2026-10-11T22:14:15Z h su 77 - - 'su root' failed",
                    "2026-10-11T22:14:15Z error su: 'su root' failed {\"host\":\"h\",\"pid\":77,\"severity\":\"crit\"}",
                ),
                (
                    "Nov 23 00:10:49 db1 kernel: [   12.345678] [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1",
                    "2026-11-23T00:10:49Z info kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 {\"host\":\"db1\",\"uptime\":\"12.345678\"}",
                ),
                (
                    "Nov 23 00:10:49 db1 last message repeated 3 times",
                    "2026-11-23T00:10:49Z info : last message repeated 3 times {\"host\":\"db1\"}",
                ),
                (
                    "Nov 23 00:10:49 db1 sshd(pam_unix)[5]: authentication failure; rhost=192.0.2.1",
                    "2026-11-23T00:10:49Z info sshd(pam_unix): authentication failure; rhost=192.0.2.1 {\"host\":\"db1\",\"pid\":5}",
                ),
                (
                    "Nov 23 00:10:49 sun sshd[5]: [ID 800047 auth.error] error: x",
                    "2026-11-23T00:10:49Z error sshd: error: x {\"host\":\"sun\",\"pid\":5}",
                ),
                (
                    "Nov 23 00:10:49 db1 sshd[5]: error: PAM: Authentication failure for root",
                    "2026-11-23T00:10:49Z error sshd: error: PAM: Authentication failure for root {\"host\":\"db1\",\"pid\":5}",
                ),
            ],
        );
    }

    #[test]
    fn fields_are_found_by_position_alone() {
        expect(
            "syslog",
            &[
                (
                    "Nov 23 00:10:49 db1 web[5]: GET /Nov 22 00:00:00 x sshd[1]: error: Failed password from 192.0.2.9",
                    "2026-11-23T00:10:49Z info web: GET /Nov 22 00:00:00 x sshd[1]: error: Failed password from 192.0.2.9 {\"host\":\"db1\",\"pid\":5}",
                ),
                (
                    "no header at all: sshd[1]: x",
                    "2026-11-23T12:00:00Z info : no header at all: sshd[1]: x {\"ts_inferred\":true}",
                ),
                (
                    "Févr 23 00:10:49 db1 x: y",
                    "2026-11-23T12:00:00Z info : Févr 23 00:10:49 db1 x: y {\"ts_inferred\":true}",
                ),
                (
                    "<999>Nov 23 00:10:49 db1 x: y",
                    "2026-11-23T12:00:00Z info : <999>Nov 23 00:10:49 db1 x: y {\"ts_inferred\":true}",
                ),
            ],
        );
    }

    #[test]
    fn a_trace_joins_its_event() {
        let text = "Nov 23 00:10:49 h app[1]: failed\n\tat a.b.C(D.java:1)\nCaused by: x.Y: z\n\t... 3 more\nNov 23 00:10:50 h app[1]: next\n";
        expect(
            "syslog",
            &[(
                text,
                "2026-11-23T00:10:49Z info app: failed {\"host\":\"h\",\"pid\":1,\"lines\":\"\\tat a.b.C(D.java:1)\\nCaused by: x.Y: z\\n\\t... 3 more\"}\n2026-11-23T00:10:50Z info app: next {\"host\":\"h\",\"pid\":1}",
            )],
        );
    }

    #[test]
    fn times_without_zone_are_of_the_stream() {
        let events = events_in("syslog", zone("Europe/Berlin"), "Jul 23 00:10:49 h a: b");
        assert!(
            told(&events[0]).starts_with("2026-07-22T22:10:49Z"),
            "{events:?}"
        );
    }
}
