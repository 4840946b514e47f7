//! Apache's error log: the default of 2.4, that of 2.2, and 2.4 with compact time stamps.
//!
//! ```text
//! [Mon Nov 23 00:10:49.123456 2026] [core:error] [pid 12:tid 34] (13)Permission denied: [client 192.0.2.1:5] AH00035: …, referer: …
//! [Mon Nov 23 00:10:49 2026] [error] [client 192.0.2.1] …
//! [2026-11-23 00:10:49.123456 +0100] [core:error] …          with a time of another format and its zone
//! ```
//!
//! Client and referer go to the context. What the server states before it has read its configuration
//! has no head.

use std::borrow::Cow;

use super::time::{self, Clock, Zone};
use super::{Draft, Parsed, State, level, stamp};

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    read(line, clock).map_or(Parsed::Headless, Parsed::Event)
}

fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let (when, mut rest) = bracket(line)?;
    let found = stamp::leading(when, clock)?;
    // The name of a zone that is not known leaves the time unknown.
    let stamp = match time::whole_zone(found.rest)? {
        Zone::Local => found.stamp,
        _ => None,
    };
    let mut draft = Draft {
        stamp,
        ..Draft::default()
    };
    if stamp.is_none() {
        draft.context.name("time", when);
    }
    let (source, after) = bracket(rest)?;
    let (module, word) = source.split_once(':').unwrap_or(("", source));
    let level = level::of_word(word)?;
    draft.set_level(word, level);
    draft.component = Cow::Borrowed(if module == "-" { "" } else { module });
    rest = after;
    if let Some((process, after)) = bracket(rest)
        && let Some(ids) = process.strip_prefix("pid ")
    {
        let (pid, thread) = ids.split_once(":tid ").unwrap_or((ids, ""));
        draft.pid = pid.parse().ok();
        draft.context.digits("pid", pid);
        draft.context.name("thread", thread);
        rest = after;
    }
    message(rest, &mut draft);
    Some(draft)
}

/// Returns the text in the brackets at the beginning, and what follows.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix('[')?.split_once(']')?;
    Some((inner, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// Sets the message without `[client …]`, which follows the error of the system if there is one.
fn message<'a>(text: &'a str, draft: &mut Draft<'a>) {
    let text = match text.rsplit_once(", referer: ") {
        Some((text, referer)) => {
            draft.context.text("referer", referer);
            text
        }
        None => text,
    };
    let system = system_error(text);
    let (error, rest) = text.split_at(system);
    let client = bracket(rest).and_then(|(inner, rest)| {
        let client = inner
            .strip_prefix("client ")
            .or_else(|| inner.strip_prefix("remote "))?;
        Some((client, rest))
    });
    draft.message = match client {
        Some((client, rest)) => {
            draft.context.name("client", client);
            if error.is_empty() {
                Cow::Borrowed(rest)
            } else {
                Cow::Owned([error, rest].concat())
            }
        }
        None => Cow::Borrowed(text),
    };
}

/// Bytes of `(13)Permission denied: `, or 0.
fn system_error(text: &str) -> usize {
    let read = || {
        let (number, rest) = text.strip_prefix('(')?.split_once(')')?;
        number.parse::<i64>().ok()?;
        Some(text.len() - rest.len() + rest.find(": ")? + 2)
    };
    read().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect;

    #[test]
    fn the_formats_of_two_generations_are_read() {
        expect(
            "apache_error",
            &[
                (
                    "[Mon Nov 23 00:10:49.123456 2026] [core:error] [pid 12:tid 34] (13)Permission denied: [client 192.0.2.1:5] AH00035: access to / denied, referer: http://example.com/?token=abc",
                    "2026-11-23T00:10:49.123456Z error core: (13)Permission denied: AH00035: access to / denied {\"pid\":12,\"thread\":\"34\",\"referer\":\"http://example.com/?token=…\",\"client\":\"192.0.2.1:5\"}",
                ),
                (
                    "[Mon Nov 03 00:10:49 2026] [error] [client 2001:db8::1] File does not exist: /x",
                    "2026-11-03T00:10:49Z error : File does not exist: /x {\"client\":\"2001:db8::1\"}",
                ),
                (
                    "[2026-11-23 00:10:49.5] [mpm_event:notice] [pid 7] AH00489: resuming",
                    "2026-11-23T00:10:49.5Z info mpm_event: AH00489: resuming {\"pid\":7,\"severity\":\"notice\"}",
                ),
                (
                    "[Mon Nov 23 00:10:49 2026] [proxy:warn] [pid 7] said [client 192.0.2.9] x",
                    "2026-11-23T00:10:49Z warn proxy: said [client 192.0.2.9] x {\"pid\":7}",
                ),
                (
                    "[2026-11-23 01:10:49.323610 +0100] [core:notice] [pid 1:tid 139958433106048] AH00094: Command line",
                    "2026-11-23T00:10:49.32361Z info core: AH00094: Command line {\"pid\":1,\"thread\":\"139958433106048\",\"severity\":\"notice\"}",
                ),
                (
                    "[Mon Nov 23 00:10:49.5 UTC 2026] [ssl:trace3] [pid 1] x",
                    "2026-11-23T00:10:49.5Z debug ssl: x {\"pid\":1,\"severity\":\"trace3\"}",
                ),
                (
                    "[23/Nov/2026:01:10:49 +0100] [proxy:emerg] x",
                    "2026-11-23T00:10:49Z error proxy: x {\"severity\":\"emerg\"}",
                ),
                (
                    "[2026-11-23 00:10:49 XYZT] [core:error] x",
                    "2026-11-23T12:00:00Z error core: x {\"time\":\"2026-11-23 00:10:49 XYZT\",\"ts_inferred\":true}",
                ),
                (
                    "AH00558: apache2: Could not reliably determine the name",
                    "2026-11-23T12:00:00Z info : AH00558: apache2: Could not reliably determine the name {\"ts_inferred\":true}",
                ),
            ],
        );
    }
}
