//! Words and numbers of levels.

use super::find_near;
use crate::event::Level;

/// What sources call their levels, in small letters, and what each is here. PostgreSQL's `LOG` and
/// `NOTICE` report normal operation; its `FATAL` ends one session, its `PANIC` the server.
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

/// Shortened words, as Serilog, zerolog, logrus, NATS and .NET's console write them. They are levels
/// only where a format has one: after a time, in brackets, as the value of a field.
const SHORT: &[(&str, Level)] = &[
    ("ftl", Level::Error),
    ("fata", Level::Error),
    ("pnc", Level::Error),
    ("pani", Level::Error),
    ("crt", Level::Error),
    ("erro", Level::Error),
    ("fail", Level::Error),
    ("wrn", Level::Warn),
    ("inf", Level::Info),
    ("ntc", Level::Info),
    ("note", Level::Info),
    ("system", Level::Info),
    ("success", Level::Info),
    ("dbg", Level::Debug),
    ("debu", Level::Debug),
    ("dbug", Level::Debug),
    ("trc", Level::Debug),
    ("trac", Level::Debug),
    ("trce", Level::Debug),
    ("vrb", Level::Debug),
    ("silly", Level::Debug),
];

/// How PHP begins its messages. `PHP ` is before it in logs, not on a terminal.
const PHP: &[(&str, Level)] = &[
    ("Fatal error: ", Level::Error),
    ("Recoverable fatal error: ", Level::Error),
    ("Catchable fatal error: ", Level::Error),
    ("Parse error: ", Level::Error),
    ("Core error: ", Level::Error),
    ("Compile error: ", Level::Error),
    ("Unknown error: ", Level::Error),
    ("Warning: ", Level::Warn),
    ("Core warning: ", Level::Warn),
    ("Compile warning: ", Level::Warn),
    ("Deprecated: ", Level::Info),
    ("Notice: ", Level::Info),
    ("Strict Standards: ", Level::Info),
];

/// Longest of the words.
const LONGEST: usize = 13;

/// By the first two letters of all words, a bit for each length. Letters of either size have the same five low
/// bits.
static LENGTHS: [[u16; 32]; 32] = {
    let mut table = [[0; 32]; 32];
    let lists = [WORDS, SHORT];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let word = lists[list][at].0.as_bytes();
            table[(word[0] & 31) as usize][(word[1] & 31) as usize] |= 1 << word.len();
            at += 1;
        }
        list += 1;
    }
    table
};

/// Returns whether a word may be a level, by its first two letters and its length.
fn may_be(word: &str) -> bool {
    let [first, second, ..] = word.as_bytes() else {
        return false;
    };
    let lengths = LENGTHS[usize::from(first & 31)][usize::from(second & 31)];
    word.len() <= LONGEST && lengths & (1 << word.len()) != 0
}

/// Returns what a level's word means, in letters of either size; `None` for any other word.
pub(crate) fn of_word(word: &str) -> Option<Level> {
    if !may_be(word) {
        return None;
    }
    of_table(WORDS, word)
}

fn of_table(table: &[(&str, Level)], word: &str) -> Option<Level> {
    let first = word.as_bytes().first()?.to_ascii_lowercase();
    table
        .iter()
        .find(|(known, _)| known.as_bytes()[0] == first && known.eq_ignore_ascii_case(word))
        .map(|(_, level)| *level)
}

/// Returns what a word means where nothing but a level can stand, as in brackets or in a field: also a
/// shortened one, and one with the steps of Go's slog after it (`WARN+1`).
pub(crate) fn of_name(word: &str) -> Option<Level> {
    let word = match word.find(['+', '-']) {
        Some(end) if word[end + 1..].bytes().all(|byte| byte.is_ascii_digit()) => &word[..end],
        _ => word,
    };
    if !may_be(word) {
        return None;
    }
    of_word(word).or_else(|| of_table(SHORT, word))
}

/// Returns what a single letter means, in a format that has one.
pub(crate) fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'F' | b'C' | b'E' | b'A' => Level::Error,
        b'W' => Level::Warn,
        b'I' | b'N' => Level::Info,
        b'D' | b'T' | b'V' => Level::Debug,
        _ => return None,
    })
}

/// Returns the level of a message of PHP: `PHP Fatal error:  Uncaught …`.
pub(crate) fn of_php(message: &str) -> Option<Level> {
    let message = message.strip_prefix("PHP ")?;
    PHP.iter()
        .find(|(words, _)| message.starts_with(words))
        .map(|(_, level)| *level)
}

/// Returns a severity of syslog (RFC 5424, table 2), also the journal's `PRIORITY`.
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

/// Returns whether a source's word states more than the level that it became.
pub(crate) fn is_finer(word: &str, level: Level) -> bool {
    let same = matches!(
        (word, level),
        (
            "warning" | "WARNING" | "Warning" | "WRN" | "wrn",
            Level::Warn
        ) | ("err" | "ERR" | "Err" | "ERRO" | "erro", Level::Error)
            | ("LOG" | "INF" | "inf", Level::Info)
            | ("DBG" | "dbg" | "DEBU" | "dbug", Level::Debug)
    );
    !same && !word.eq_ignore_ascii_case(level.as_str())
}

/// Returns the level that a message names at its very beginning: `error: …`, `[WARNING] …`, `ERROR …` in
/// capitals, `PHP Warning: …`. Nothing further in the message is evaluated; a writer of a
/// message must not choose its level.
pub(crate) fn leading(message: &str) -> Option<Level> {
    let bytes = message.as_bytes();
    match bytes.first()? {
        b'[' | b'<' => {
            let close = if bytes[0] == b'[' { b']' } else { b'>' };
            let end = bytes.iter().take(LONGEST + 4).position(|b| *b == close)?;
            of_word(message[1..end].trim())
        }
        b'A'..=b'Z' | b'a'..=b'z' => {
            let end = find_near(message, LONGEST + 1, |byte| {
                matches!(byte, b':' | b' ' | b'\t')
            })?;
            let (word, after) = message.split_at(end);
            match after.as_bytes()[0] {
                // `error::Kind` is the name of something.
                b':' => of_word(word).filter(|_| !after.starts_with("::")),
                _ if word == "PHP" => of_php(message),
                _ => of_capitals(word),
            }
        }
        _ => None,
    }
}

/// Returns a level in capitals that no sentence begins with.
pub(crate) fn of_capitals(word: &str) -> Option<Level> {
    const NOUNS: &[&str] = &["LOG", "CONFIG", "FINE", "FINER", "FINEST", "VERBOSE"];
    if !word.bytes().all(|byte| byte.is_ascii_uppercase()) || NOUNS.contains(&word) {
        return None;
    }
    of_word(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_once_and_fit() {
        let words: Vec<_> = WORDS.iter().chain(SHORT).collect();
        for (at, (word, _)) in words.iter().enumerate() {
            assert!(word.len() <= LONGEST && word.len() >= 3, "{word}");
            assert!(
                word.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{word}"
            );
            assert!(
                !words[..at].iter().any(|(other, _)| other == word),
                "{word} twice"
            );
        }
    }

    #[test]
    fn names_are_shortened_and_stepped() {
        let cases = [
            ("INF", Some(Level::Info)),
            ("wrn", Some(Level::Warn)),
            ("FTL", Some(Level::Error)),
            ("WARN+1", Some(Level::Warn)),
            ("DEBUG-4", Some(Level::Debug)),
            ("Warning", Some(Level::Warn)),
            ("E", None),
            ("", None),
            ("INFO+x", None),
        ];
        for (word, level) in cases {
            assert_eq!(of_name(word), level, "{word}");
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
            ("[ERROR] x", Some(Level::Error)),
            ("[error] x", Some(Level::Error)),
            ("<warning>: x", Some(Level::Warn)),
            ("[ WARN ] x", Some(Level::Warn)),
            ("ERROR x", Some(Level::Error)),
            ("Error x", None),
            ("ERRORS x", None),
            ("ERROR", None),
            ("LOG x", None),
            ("CONFIG file read", None),
            ("error::Kind x", None),
            ("[UFW BLOCK] x", None),
            ("[errors] x", None),
            ("[", None),
            ("[é", None),
            ("PHP Fatal error:  Uncaught", Some(Level::Error)),
            ("PHP Parse error:  x", Some(Level::Error)),
            ("PHP Warning:  x", Some(Level::Warn)),
            ("PHP Deprecated:  x", Some(Level::Info)),
            ("PHP is an error: x", None),
        ];
        for (message, level) in cases {
            assert_eq!(leading(message), level, "{message}");
        }
    }
}
