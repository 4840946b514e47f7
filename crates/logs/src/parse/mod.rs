//! Parsing of lines into events.
//!
//! ```text
//! bytes ─ clean: text ─ parser: head of an event, or not ─ join: whole events ─ finish: redacted, cut
//! ```
//!
//! A parser is one function in [`PARSERS`] that classifies a line (`Parsed`): the head of
//! an event, a continuation of the one before, or unknown. It finds fields **by their position** and
//! never searches a message for them: untrusted text in a message must not become fields.
//! It keeps no state but `State`, never panics, and reads each byte a bounded number of
//! times.
//!
//! Everything else is common to all parsers: `encoding` and `clean`(mod@clean) turn bytes into
//! text, `container` unwraps lines of container runtimes, `time` parses times,
//! `join` adds continuation lines to their event, redacts and truncates.
//!
//! No line is lost: it begins an event, joins one or is blank ([`Counts`]). A line that is not recognised is
//! a separate event, with the time at which it was read.

mod access;
mod apache_error;
mod body;
mod caddy;
mod certbot;
mod clean;
mod container;
mod context;
mod encoding;
mod facility;
mod fail2ban;
mod faults;
mod head;
mod join;
mod journal;
mod json;
mod letters;
mod level;
mod logfmt;
mod postgresql;
mod reader;
mod simple_timestamp;
mod stamp;
mod syslog;
mod time;
mod trace;
mod tracing;

#[cfg(test)]
pub(crate) mod testing;

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::event::{Access, Level};
pub use access::{Request, request};
use context::Context;
pub use reader::{Counts, Reader};
use time::{Clock, Stamp};
use trace::Trace;

/// A way of reading lines.
#[derive(Debug)]
pub struct Parser {
    /// Returns its name in the configuration.
    pub name: &'static str,
    /// What it reads, in a sentence.
    pub doc: &'static str,
    parse: Parse,
    /// Reads what a runtime of containers took from a program, where that differs.
    parse_contained: Option<Parse>,
    joins: Joins,
}

type Parse = for<'a> fn(&mut State, &'a str, &mut Clock) -> Parsed<'a>;
type Redact = for<'a> fn(&'a str) -> Cow<'a, str>;

/// Which lines without a head join the event before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    /// Those that begin with a tab; they continue with the text before.
    Tabs,
    /// Indented ones and those of a stack trace: every event of this source is one line by rights.
    Traces,
    /// All: the source writes messages of several lines, and each event has a head.
    All,
}

/// Every parser, by name.
pub const PARSERS: &[Parser] = &[
    Parser {
        name: "journalctl",
        doc: "messages of the journal: text of Rust's tracing, JSON objects, anything",
        parse: journal::line,
        parse_contained: None,
        joins: Joins::Traces,
    },
    Parser {
        name: "postgresql",
        doc: "PostgreSQL's log: stderr with any log_line_prefix, csvlog, jsonlog",
        parse: postgresql::line,
        parse_contained: None,
        joins: Joins::Tabs,
    },
    Parser {
        name: "syslog",
        doc: "files of syslog: RFC 3164, ISO time stamps, RFC 5424; other lines as simple_timestamp does",
        parse: syslog::line,
        parse_contained: Some(simple_timestamp::line),
        joins: Joins::Traces,
    },
    Parser {
        name: "apache_error",
        doc: "Apache's error log, of 2.4 and 2.2",
        parse: apache_error::line,
        parse_contained: None,
        joins: Joins::Traces,
    },
    Parser {
        name: "simple_timestamp",
        doc: "a time stamp, perhaps level and logger, and a message; JSON, logfmt; nginx's error log",
        parse: simple_timestamp::line,
        parse_contained: None,
        joins: Joins::Traces,
    },
    Parser {
        name: "fail2ban",
        doc: "fail2ban.log",
        parse: fail2ban::line,
        parse_contained: None,
        joins: Joins::All,
    },
    Parser {
        name: "certbot",
        doc: "letsencrypt.log",
        parse: certbot::line,
        parse_contained: None,
        joins: Joins::All,
    },
    Parser {
        name: "access",
        doc: "access logs in common or combined format, as Apache and nginx write them",
        parse: access::line,
        parse_contained: None,
        joins: Joins::Traces,
    },
    Parser {
        name: "caddy",
        doc: "Caddy's JSON logs",
        parse: caddy::line,
        parse_contained: None,
        joins: Joins::Traces,
    },
];

/// One of [`PARSERS`].
#[derive(Clone, Copy, Debug)]
pub struct ParserKind(&'static Parser);

impl ParserKind {
    /// The journal's.
    pub const JOURNAL: Self = Self(&PARSERS[0]);

    /// Returns the parser of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        PARSERS.iter().find(|parser| parser.name == name).map(Self)
    }

    /// Returns its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }
}

/// Options of a parser for its stream.
#[derive(Clone, Debug)]
pub struct ParserOptions {
    /// Zone of times that state none.
    pub zone: TimeZone,
    /// PostgreSQL's `log_line_prefix`; `None` for its default in Debian's packages,
    /// `%m [%p] %q%u@%d `.
    pub log_line_prefix: Option<String>,
    /// `LogFormat` of Apache or `log_format` of nginx, for what follows the usual fields of an access
    /// log; `None` where nothing is known of it.
    pub access_format: Option<String>,
}

impl Default for ParserOptions {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            log_line_prefix: None,
            access_format: None,
        }
    }
}

/// What a parser keeps between the lines of one stream.
#[derive(Debug, Default)]
struct State {
    prefix: postgresql::Prefix,
    record: postgresql::Record,
    access: access::Format,
    /// Memory for the context of the next event.
    spare: String,
    plain: join::Plain,
}

impl State {
    /// Returns a draft that writes its context into memory that was used before.
    fn draft<'a>(&mut self) -> Draft<'a> {
        Draft {
            context: Context::within(std::mem::take(&mut self.spare)),
            ..Draft::default()
        }
    }
}

/// What a line is.
enum Parsed<'a> {
    /// The head of an event.
    Event(Draft<'a>),
    /// More of the event before, under its own name; an event itself where there is none.
    Part(&'static str, Draft<'a>),
    /// A line of the event before, though it has its own head; an event where there is none.
    More(Draft<'a>),
    /// Kept by the parser until the record that it belongs to is whole.
    Held,
    /// Nothing this parser knows.
    Headless,
}

/// An event as its head states it.
#[derive(Debug, Default)]
struct Draft<'a> {
    stamp: Option<Stamp>,
    level: Option<Level>,
    /// The source's own word, where it states more than the level.
    severity: &'a str,
    component: Cow<'a, str>,
    message: Cow<'a, str>,
    pid: Option<u32>,
    context: Context,
    access: Option<Access>,
    /// Nothing can follow that belongs to it.
    whole: bool,
    /// Within a stack trace this is one of its lines: the head has a level, but no time.
    is_weak: bool,
    /// Level and message are on the next line, if that has no head.
    awaits: bool,
    /// What the lines that follow are part of, where the message does not report it.
    trace: Trace,
    /// How secrets leave the message; [`redact::clean`] unless set.
    redact: Option<Redact>,
    /// The error code states that a function of PostgreSQL's user wrote the texts.
    raised: bool,
}

/// Returns where the first byte of a kind is among the first `most` of a text.
fn find_near(text: &str, most: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let near = &text.as_bytes()[..text.len().min(most)];
    near.iter().position(|byte| is(*byte))
}

impl<'a> Draft<'a> {
    /// Sets the level that the source writes as this word.
    fn set_level(&mut self, word: &'a str, level: Level) {
        self.level = Some(level);
        if !word.is_empty() && level::is_finer(word, level) {
            self.severity = word;
        }
    }
}
