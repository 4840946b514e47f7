//! fail2ban's own log.
//!
//! ```text
//! 2026-11-23 00:10:49,123 fail2ban.actions        [1234]: NOTICE  [sshd] Ban 192.0.2.1
//! ```

use std::borrow::Cow;

use super::time::{self, Clock};
use super::{Draft, Parsed, State, level};

/// Letters of a component at most.
const COMPONENT: usize = 64;

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    read(line, clock).map_or(Parsed::Headless, Parsed::Event)
}

fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Draft<'a>> {
    let (civil, end) = time::iso(line)?;
    let rest = line[end..].strip_prefix(' ')?;
    let end = rest
        .bytes()
        .take(COMPONENT)
        .position(|byte| matches!(byte, b' ' | b'[' | b':'))?;
    let (component, rest) = rest.split_at(end);
    let rest = rest.trim_start();
    let (process, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let (word, message) = rest.strip_prefix(':')?.trim_start().split_once(' ')?;
    // Older releases wrote a colon after the level.
    let word = word.strip_suffix(':').unwrap_or(word);
    let level = level::of_word(word)?;
    let mut draft = Draft {
        stamp: clock.stamp(civil, time::Zone::Local),
        level: Some(level),
        component: Cow::Borrowed(component),
        message: Cow::Borrowed(message.trim_start()),
        pid: process.trim().parse().ok(),
        ..Draft::default()
    };
    if level::is_finer(word, level) {
        draft.severity = word;
    }
    draft.context.digits("pid", process.trim());
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect;

    #[test]
    fn component_process_and_level_are_read() {
        expect(
            "fail2ban",
            &[
                (
                    "2026-11-23 00:10:49,123 fail2ban.actions        [1234]: NOTICE  [sshd] Ban 192.0.2.1",
                    "2026-11-23T00:10:49.123Z info fail2ban.actions: [sshd] Ban 192.0.2.1 {\"pid\":1234,\"severity\":\"NOTICE\"}",
                ),
                (
                    "2026-11-23 00:10:49,123 fail2ban.filter[7]: ERROR   x",
                    "2026-11-23T00:10:49.123Z error fail2ban.filter: x {\"pid\":7}",
                ),
                (
                    "2026-11-23 00:10:49,123 fail2ban.actions: WARNING [sshd] Ban 192.0.2.1",
                    "2026-11-23T00:10:49.123Z warn fail2ban.actions: [sshd] Ban 192.0.2.1",
                ),
                (
                    "2026-11-23 00:10:49,123 someone says: Ban 192.0.2.1",
                    "2026-11-23T12:00:00Z info : 2026-11-23 00:10:49,123 someone says: Ban 192.0.2.1 {\"ts_inferred\":true}",
                ),
            ],
        );
    }

    #[test]
    fn what_has_no_head_joins() {
        let text =
            "2026-11-23 00:10:49,123 fail2ban.utils [7]: ERROR   failed\nstderr: no\nsuch thing\n";
        let expected = "2026-11-23T00:10:49.123Z error fail2ban.utils: failed {\"pid\":7,\"lines\":\"stderr: no\\nsuch thing\"}";
        expect("fail2ban", &[(text, expected)]);
    }
}
