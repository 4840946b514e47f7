//! certbot's `letsencrypt.log`: Python's logging, its parts joined by colons.
//!
//! ```text
//! 2026-11-23 00:10:49,455:DEBUG:certbot._internal.main:certbot version: 2.1.0
//! ```
//!
//! Requests, answers and tracebacks follow their head on lines of their own.

use std::borrow::Cow;

use super::time::{self, Clock};
use super::{Draft, Parsed, State, level};

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    read(line, clock).map_or(Parsed::Headless, Parsed::Event)
}

fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let (civil, end) = time::iso(line)?;
    let (word, rest) = line[end..].strip_prefix(':')?.split_once(':')?;
    let level = level::of_word(word)?;
    let (component, message) = rest.split_once(':')?;
    if component.contains(' ') {
        return None;
    }
    let mut draft = Draft {
        stamp: clock.stamp(civil, time::Zone::Local),
        level: Some(level),
        component: Cow::Borrowed(component),
        message: Cow::Borrowed(message),
        ..Draft::default()
    };
    if level::is_finer(word, level) {
        draft.severity = word;
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect;

    #[test]
    fn a_traceback_stays_with_its_event() {
        let text = "\
2026-11-23 00:10:49,455:DEBUG:certbot._internal.log:Exiting abnormally:
Traceback (most recent call last):
  File \"x\", line 1, in main

ValueError: password=hunter2
2026-11-23 00:10:49,456:CRITICAL:certbot._internal.log:failed: no
";
        let expected = "\
2026-11-23T00:10:49.455Z debug certbot._internal.log: Exiting abnormally: {\"lines\":\"Traceback (most recent call last):\\n  File \\\"x\\\", line 1, in main\\nValueError: password=…\"}
2026-11-23T00:10:49.456Z error certbot._internal.log: failed: no {\"severity\":\"CRITICAL\"}";
        expect("certbot", &[(text, expected)]);
    }
}
