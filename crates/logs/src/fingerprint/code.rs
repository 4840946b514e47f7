//! The numbers that are not variables.
//!
//! A number is masked, because it states *which*: which process, address, block. A few say *what*
//! happened, and events that differ in them are different events: how an HTTP request failed, what a
//! process left with, the SQLSTATE of an error. [`KEPT`] declares them by the word that is before
//! and by their range. Everything else with a digit is masked: ports, sizes, numbers of system calls,
//! and the codes of success, so that 200, 201 and 302 are one pattern, and 404 and 500 are two others.
//! A place that holds a kept number never opens, however many different ones are seen there.

use super::token::{Kind, Token};
use super::words;

/// A kind of number that is kept.
struct Kept {
    /// The word before, in lower case; separators and [`BETWEEN`] may be between.
    after: &'static [&'static str],
    /// What else has to be there.
    given: Given,
    /// Which numbers.
    range: Range,
}

/// What has to be there besides the word before.
#[derive(PartialEq, Eq)]
enum Given {
    Nothing,
    /// A request was named earlier in the message.
    Request,
    /// One of [`SPELLED`] is between: `exit status 1`, not `exit=1` of a system call.
    Spelled,
}

enum Range {
    /// Whole numbers within these limits.
    Numbers(u32, u32),
    /// Whole numbers within these limits with a name after: `1/FAILURE`, as systemd writes it.
    Named(u32, u32),
    /// Five digits and capitals.
    SqlState,
    /// The same between colons: `ERROR:  42P01: relation …`.
    SqlStateInColons,
}

/// HTTP: the classes of failure (RFC 9110 §15.5, §15.6).
const FAILURES: Range = Range::Numbers(400, 599);

/// What a process left with: wait(2) gives eight bits.
const EXITS: Range = Range::Numbers(1, 255);

const KEPT: &[Kept] = &[
    Kept {
        after: &[
            "status",
            "status_code",
            "statuscode",
            "http_status",
            "http_code",
            "http",
        ],
        given: Given::Nothing,
        range: FAILURES,
    },
    Kept {
        after: &[
            "answered",
            "code",
            "completed",
            "responded",
            "response",
            "returned",
        ],
        given: Given::Request,
        range: FAILURES,
    },
    Kept {
        after: &[
            "exited",
            "exit_code",
            "exitcode",
            "exit_status",
            "retcode",
            "returncode",
        ],
        given: Given::Nothing,
        range: EXITS,
    },
    Kept {
        after: &["exit", "killed", "return", "returned", "terminated"],
        given: Given::Spelled,
        range: EXITS,
    },
    Kept {
        after: &["status"],
        given: Given::Nothing,
        range: Range::Named(1, 255),
    },
    // SQL: class and condition (PostgreSQL, appendix A).
    Kept {
        after: &["sqlstate"],
        given: Given::Nothing,
        range: Range::SqlState,
    },
    Kept {
        after: &["error", "fatal", "panic", "warning"],
        given: Given::Nothing,
        range: Range::SqlStateInColons,
    },
];

/// Words that may be between the word and its number: `exited with code 1`.
const BETWEEN: &[&str] = &["by", "code", "is", "on", "signal", "status", "was", "with"];

/// Those of them that name the number.
const SPELLED: &[&str] = &["code", "signal", "status"];

/// How far back the word is searched for, in tokens.
const REACH: usize = 5;

/// Where a word with a digit stands.
pub(super) struct Place<'a> {
    /// The tokens before it.
    pub(super) tokens: &'a [Token],
    /// Their text.
    pub(super) text: &'a str,
    /// A request was named earlier in the message.
    pub(super) request: bool,
    /// A request was named shortly before, so that its status may be here.
    pub(super) answer: bool,
    /// The text after it.
    pub(super) rest: &'a [u8],
}

/// Returns whether a number that is by itself may be kept after this word. Those that are kept in colons or for
/// a request are not by themselves.
pub(super) fn may_keep(word: &[u8]) -> bool {
    KEPT.iter().any(|kept| {
        kept.given != Given::Request
            && !matches!(kept.range, Range::SqlStateInColons)
            && words::is_one_of(word, kept.after)
    })
}

/// Returns whether the word is kept there.
pub(super) fn is_kept(place: &Place<'_>, word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let plain = match word.get(digits) {
        None => true,
        Some(b'/') => word[digits + 1..].iter().all(u8::is_ascii_alphabetic),
        Some(b'.') => digits + 1 == word.len(),
        Some(_) => false,
    };
    let state = word.len() == 5
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let number = (plain && (1..=3).contains(&digits)).then(|| {
        word[..digits]
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    });
    if number.is_none() && !state || is_before_unit(place.rest) {
        return false;
    }
    if place.answer && matches!(number, Some(400..=599)) && follows_request(place) {
        return true;
    }
    let mut spelled = false;
    for token in place.tokens.iter().rev().take(REACH) {
        match token.kind {
            Kind::Wild => return false,
            Kind::Fixed => {}
            Kind::Word => {
                let before = token.bytes(place.text);
                let fits = |kept: &Kept| {
                    words::is_one_of(before, kept.after)
                        && match kept.given {
                            Given::Nothing => true,
                            Given::Request => place.request,
                            Given::Spelled => spelled,
                        }
                        && is_within(&kept.range, number, digits < word.len(), state, place)
                };
                if KEPT.iter().any(fits) {
                    return true;
                }
                if !words::is_one_of(before, BETWEEN) {
                    return false;
                }
                spelled |= words::is_one_of(before, SPELLED);
            }
        }
    }
    false
}

fn is_within(
    range: &Range,
    number: Option<u32>,
    named: bool,
    state: bool,
    place: &Place<'_>,
) -> bool {
    let between = |low, high| number.is_some_and(|number| (low..=high).contains(&number));
    match *range {
        Range::Numbers(low, high) => between(low, high),
        Range::Named(low, high) => named && between(low, high),
        Range::SqlState => state,
        Range::SqlStateInColons => {
            let last = place.tokens.last();
            let colon = last.is_some_and(|last| last.bytes(place.text) == b":");
            state && colon && place.rest.first() == Some(&b':')
        }
    }
}

/// Returns whether nothing but signs is between the request and the number: not `size 512`.
fn follows_request(place: &Place<'_>) -> bool {
    let last = place.tokens.last();
    last.is_some_and(|last| last.kind != Kind::Word)
}

/// Returns whether a unit follows, so that the number is a quantity.
fn is_before_unit(rest: &[u8]) -> bool {
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let letters = rest[blanks..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'%')
        .count();
    blanks > 0 && words::is_unit(&rest[blanks..blanks + letters])
}
