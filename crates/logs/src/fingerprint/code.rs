//! The numbers that are no variables.
//!
//! A number is masked, because it says *which*: which process, address, block. A few say *what*
//! happened, and events that differ in them are different events. [`KEPT`] declares them by the word
//! that stands before and by their range. Everything else with a digit is masked; above all the
//! codes of success, so that 200, 201 and 302 are one pattern, and 404 and 500 are two others.
//! A place that holds a kept number never opens, however many different ones are seen there.

use super::token::{Kind, Token};
use super::words;

/// A kind of number that is kept.
struct Kept {
    /// The word before, in small letters; separators and [`BETWEEN`] may stand between.
    after: &'static [&'static str],
    /// Which numbers.
    range: Range,
}

enum Range {
    /// Whole numbers within these limits.
    Numbers(u32, u32),
    /// Whole numbers within these limits with a name behind: `1/FAILURE`, as systemd writes it.
    Named(u32, u32),
    /// Of this list.
    Ports(&'static [u32]),
    /// Five digits and capitals.
    SqlState,
    /// The same between colons: `ERROR:  42P01: relation …`.
    SqlStateInColons,
}

const KEPT: &[Kept] = &[
    // HTTP: the classes of failure (RFC 9110 §15.5, §15.6).
    Kept {
        after: &[
            "status",
            "status_code",
            "statuscode",
            "http_status",
            "code",
            "response",
            "http",
            "returned",
        ],
        range: Range::Numbers(400, 599),
    },
    // What a process left with: wait(2) gives eight bits.
    Kept {
        after: &[
            "exit",
            "exited",
            "exit_code",
            "exitcode",
            "exit_status",
            "rc",
            "retcode",
            "returncode",
            "errno",
            "signal",
        ],
        range: Range::Numbers(1, 255),
    },
    Kept {
        after: &["status"],
        range: Range::Named(1, 255),
    },
    // SQL: class and condition (PostgreSQL, appendix A).
    Kept {
        after: &["sqlstate"],
        range: Range::SqlState,
    },
    Kept {
        after: &["error", "fatal", "panic", "warning"],
        range: Range::SqlStateInColons,
    },
    // Services that packets are dropped for and servers cannot listen on.
    Kept {
        after: &["dpt", "dport", "dst_port", "dest_port", "port"],
        range: Range::Ports(&[
            21, 22, 23, 25, 53, 80, 110, 143, 389, 443, 445, 465, 587, 993, 995,
        ]),
    },
    Kept {
        after: &["dpt", "dport", "dst_port", "dest_port"],
        range: Range::Ports(&[
            1433, 3306, 3389, 5432, 5900, 6379, 8080, 8443, 9200, 11211, 27017,
        ]),
    },
];

/// Words that may stand between the word and its number: `exited with code 1`.
const BETWEEN: &[&str] = &["code", "is", "status", "was", "with", "by"];

/// How far back the word is looked for, in tokens.
const REACH: usize = 5;

/// Where a word with a digit stands.
pub(super) struct Place<'a> {
    /// The tokens before it.
    pub(super) tokens: &'a [Token],
    /// Their text.
    pub(super) text: &'a str,
    /// A request was named shortly before, so that its status may stand here.
    pub(super) request: bool,
    /// The byte behind it.
    pub(super) next: u8,
}

/// Whether the word is kept there.
pub(super) fn is_kept(place: &Place<'_>, word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let plain = match word.get(digits) {
        None => true,
        Some(b'/') => word[digits + 1..].iter().all(u8::is_ascii_alphabetic),
        Some(_) => false,
    };
    let state = word.len() == 5
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let number = (plain && (1..=5).contains(&digits)).then(|| {
        word[..digits]
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    });
    if number.is_none() && !state {
        return false;
    }
    if place.request && digits == 3 && matches!(number, Some(400..=599)) {
        return true;
    }
    for token in place.tokens.iter().rev().take(REACH) {
        match token.kind {
            Kind::Wild => return false,
            Kind::Fixed => {}
            Kind::Word => {
                let before = token.bytes(place.text);
                for kept in KEPT {
                    if !words::is_one_of(before, kept.after) {
                        continue;
                    }
                    let fits = match kept.range {
                        Range::Numbers(low, high) => {
                            number.is_some_and(|number| (low..=high).contains(&number))
                        }
                        Range::Named(low, high) => {
                            digits < word.len()
                                && number.is_some_and(|number| (low..=high).contains(&number))
                        }
                        Range::Ports(ports) => number.is_some_and(|number| ports.contains(&number)),
                        Range::SqlState => state,
                        Range::SqlStateInColons => {
                            let last = place.tokens.last();
                            let colon = last.is_some_and(|last| last.bytes(place.text) == b":");
                            state && colon && place.next == b':'
                        }
                    };
                    if fits {
                        return true;
                    }
                }
                if !words::is_one_of(before, BETWEEN) {
                    return false;
                }
            }
        }
    }
    false
}
