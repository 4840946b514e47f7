//! Facility and level as words in a line of syslog, where files have no `<PRI>`.
//!
//! ```text
//! Nov 29 06:42:01 host daemon.err prog[12]: message       busybox's syslogd
//! Nov 29 06:42:01 <daemon.err> host prog[12]: message     FreeBSD's syslogd -vv; <3.3> with -v
//! daemon.err: Nov 29 06:42:01 prog[12]: message           socklog
//! Sun Nov 29 06:42:01 2026 daemon.err prog[12]: message   OpenWrt's logread
//! %LINK-3-UPDOWN: message                                 Cisco's devices
//! ```

use super::{find_near, level};
use crate::event::Level;

const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "security", "console", "audit", "alert", "clock", "mark", "local0", "local1",
    "local2", "local3", "local4", "local5", "local6", "local7",
];

/// Bytes of the longest facility and level, with what is around them.
const LONGEST: usize = 24;

/// A level, the word that it is written as, and what follows.
pub(crate) type Facility<'a> = (Level, &'a str, &'a str);

/// Returns the level of `daemon.err ` or `daemon.err: ` at the beginning of a text.
pub(crate) fn word(text: &str) -> Option<Facility<'_>> {
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return None;
    }
    // Most words have no dot.
    let dot = find_near(text, LONGEST, |byte| matches!(byte, b'.' | b' '))?;
    if text.as_bytes()[dot] == b' ' {
        return None;
    }
    let end = find_near(text, LONGEST, |byte| byte == b' ')?;
    let (word, rest) = text.split_at(end);
    let (level, word) = pair(word.strip_suffix(':').unwrap_or(word))?;
    Some((level, word, rest.trim_start_matches(' ')))
}

/// Returns the level of `<daemon.err> ` or `<3.3> ` at the beginning of a text.
pub(crate) fn in_brackets(text: &str) -> Option<Facility<'_>> {
    let text_within = text.strip_prefix('<')?;
    let end = find_near(text, LONGEST, |byte| byte == b'>')?;
    let inner = &text_within[..end - 1];
    let rest = text[end + 1..].strip_prefix(' ')?;
    let (level, word) = pair(inner).or_else(|| {
        let (facility, severity) = inner.split_once('.')?;
        let _known: u8 = facility.parse().ok().filter(|facility| *facility <= 23)?;
        level::of_severity(severity.parse().ok()?)
    })?;
    Some((level, word, rest))
}

fn pair(text: &str) -> Option<(Level, &str)> {
    let dot = memchr::memchr(b'.', text.as_bytes())?;
    let (facility, word) = (&text[..dot], &text[dot + 1..]);
    if !FACILITIES.contains(&facility) {
        return None;
    }
    Some((level::of_word(word)?, word))
}

/// Returns the level of a message of Cisco's: the digit in `%LINK-3-UPDOWN: `, which a counter and another
/// time may be before.
pub(crate) fn cisco(message: &str) -> Option<Level> {
    let near = &message.as_bytes()[..message.len().min(48)];
    let at = memchr::memchr(b'%', near)?;
    if at > 0 && !message[..at].ends_with(": ") {
        return None;
    }
    let (code, _) = message[at + 1..].split_once(": ")?;
    let mut parts = code.splitn(3, '-');
    let (facility, severity, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_code = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        !text.is_empty() && text.bytes().all(|byte| plain(byte) || byte == b'-')
    };
    if !is_code(facility) || !is_code(name) || severity.len() != 1 {
        return None;
    }
    level::of_severity(severity.parse().ok()?).map(|(level, _)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facility_and_level_are_words() {
        let cases = [
            ("daemon.err prog: x", Some((Level::Error, "err", "prog: x"))),
            ("kern.emerg: x", Some((Level::Error, "emerg", "x"))),
            (
                "auth.info sshd[1]: x",
                Some((Level::Info, "info", "sshd[1]: x")),
            ),
            ("mail.example.com prog: x", None),
            ("daemon.none x", None),
            ("prog[12]: x", None),
            ("größer.err x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(word(text), expected, "{text}");
        }
        let cases = [
            ("<daemon.err> host x", Some((Level::Error, "err", "host x"))),
            ("<3.4> host x", Some((Level::Warn, "warning", "host x"))),
            ("<99.4> host x", None),
            ("<3.9> host x", None),
            ("<info> x", None),
            ("<", None),
        ];
        for (text, expected) in cases {
            assert_eq!(in_brackets(text), expected, "{text}");
        }
    }

    #[test]
    fn a_code_of_cisco_has_a_level() {
        let cases = [
            ("%LINK-3-UPDOWN: Interface x", Some(Level::Error)),
            ("%SYS-5-CONFIG_I: Configured", Some(Level::Info)),
            (
                "*Nov 29 06:42:01.123: %ASA-4-106023: Deny",
                Some(Level::Warn),
            ),
            ("disk 93% full: x", None),
            ("%d-3-x: y", None),
            ("%", None),
        ];
        for (message, expected) in cases {
            assert_eq!(cisco(message), expected, "{message}");
        }
    }
}
