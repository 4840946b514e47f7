//! Words and numbers for how grave a thing is.

use crate::event::Level;

/// What sources call their levels, in small letters, and what each is here. PostgreSQL's `LOG` and
/// `NOTICE` tell of the course of things; its `FATAL` ends one session, its `PANIC` the server.
const WORDS: &[(&str, Level)] = &[
    ("emerg", Level::Error),
    ("emergency", Level::Error),
    ("panic", Level::Error),
    ("alert", Level::Error),
    ("crit", Level::Error),
    ("critical", Level::Error),
    ("fatal", Level::Error),
    ("severe", Level::Error),
    ("dpanic", Level::Error),
    ("err", Level::Error),
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("notice", Level::Info),
    ("info", Level::Info),
    ("informational", Level::Info),
    ("information", Level::Info),
    ("log", Level::Info),
    ("config", Level::Debug),
    ("debug", Level::Debug),
    ("debug1", Level::Debug),
    ("debug2", Level::Debug),
    ("debug3", Level::Debug),
    ("debug4", Level::Debug),
    ("debug5", Level::Debug),
    ("fine", Level::Debug),
    ("finer", Level::Debug),
    ("finest", Level::Debug),
    ("trace", Level::Debug),
    ("trace1", Level::Debug),
    ("trace2", Level::Debug),
    ("trace3", Level::Debug),
    ("trace4", Level::Debug),
    ("trace5", Level::Debug),
    ("trace6", Level::Debug),
    ("trace7", Level::Debug),
    ("trace8", Level::Debug),
    ("verbose", Level::Debug),
];

/// Longest of the words.
const LONGEST: usize = 13;

/// What a level's word means, in letters of either size; `None` for any other word.
pub(crate) fn of_word(word: &str) -> Option<Level> {
    if word.len() > LONGEST || word.len() < 3 {
        return None;
    }
    WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))
        .map(|(_, level)| *level)
}

/// A severity of syslog (RFC 5424, table 2), also the journal's `PRIORITY`.
pub(crate) fn of_severity(severity: u8) -> Option<(Level, &'static str)> {
    Some(match severity {
        0 => (Level::Error, "emerg"),
        1 => (Level::Error, "alert"),
        2 => (Level::Error, "crit"),
        3 => (Level::Error, "err"),
        4 => (Level::Warn, "warning"),
        5 => (Level::Info, "notice"),
        6 => (Level::Info, "info"),
        7 => (Level::Debug, "debug"),
        _ => return None,
    })
}

/// Whether a source's word says more than the level that it became.
pub(crate) fn is_finer(word: &str, level: Level) -> bool {
    let same = matches!(
        (word, level),
        ("warning" | "WARNING", Level::Warn) | ("err", Level::Error) | ("LOG", Level::Info)
    );
    !same && !word.eq_ignore_ascii_case(level.as_str())
}

/// The level that a message names as its first word: `error: …`, `WARNING: …`. Nothing further in
/// the message is looked at; whoever can write into a message must not choose its level.
pub(crate) fn leading(message: &str) -> Option<Level> {
    let end = message
        .bytes()
        .take(LONGEST + 1)
        .position(|byte| byte == b':')?;
    of_word(&message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_once_and_fit() {
        for (at, (word, _)) in WORDS.iter().enumerate() {
            assert!(word.len() <= LONGEST && word.len() >= 3, "{word}");
            assert!(
                word.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{word}"
            );
            assert!(
                !WORDS[..at].iter().any(|(other, _)| other == word),
                "{word} twice"
            );
        }
    }

    #[test]
    fn only_the_first_word_counts() {
        let cases = [
            ("error: PAM: x", Some(Level::Error)),
            ("Warning: disk", Some(Level::Warn)),
            ("fatal: y", Some(Level::Error)),
            ("debug1: z", Some(Level::Debug)),
            ("an error: x", None),
            ("Accepted error: x", None),
            ("error", None),
            ("", None),
            ("größer: x", None),
        ];
        for (message, level) in cases {
            assert_eq!(leading(message), level, "{message}");
        }
    }
}
