//! From lines to events.
//!
//! ```text
//! bytes ─ clean: text ─ parser: head of an event, or not ─ join: whole events ─ finish: redacted, cut
//! ```
//!
//! A parser is one function in [`PARSERS`] that says of one line what it is ([`Parsed`]): the head of
//! an event, more of the one before, or nothing it knows. It finds fields **by their position** and
//! never searches a message for them: what a stranger can write into a message must not make fields.
//! It keeps nothing but [`State`], panics on no input, and looks at each byte a bounded number of
//! times.
//!
//! Everything else is the same for all and stands here: [`clean`](mod@clean) makes text of bytes,
//! [`time`] finds the instant, [`join`] adds the lines that follow to their event, redacts and cuts.
//!
//! No line is lost: it begins an event, joins one or is blank ([`Counts`]). A line that no head fits is
//! an event of its own, with the time at which it was read.

mod access;
mod apache_error;
mod caddy;
mod certbot;
mod clean;
mod context;
mod fail2ban;
mod join;
mod journal;
mod json;
mod level;
mod postgresql;
mod simple_timestamp;
mod syslog;
mod time;
mod trace;
mod tracing;

#[cfg(test)]
mod testing;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use schema::Timestamp;

use crate::event::{Access, Event, Level};
use crate::source::Entry;
use context::Context;
use join::{Line, More, Open};
use time::{Clock, Stamp};
use trace::Trace;

/// A way of reading lines.
#[derive(Debug)]
pub struct Parser {
    /// As the configuration names it.
    pub name: &'static str,
    /// What it reads, in a sentence.
    pub doc: &'static str,
    parse: Parse,
    joins: Joins,
}

type Parse = for<'a> fn(&mut State, &'a str, &mut Clock) -> Parsed<'a>;
type Redact = fn(&str) -> String;

/// Which lines without a head join the event before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    /// Those that begin with a tab; they go on with the text before.
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
        joins: Joins::Traces,
    },
    Parser {
        name: "postgresql",
        doc: "PostgreSQL's log: stderr with any log_line_prefix, csvlog, jsonlog",
        parse: postgresql::line,
        joins: Joins::Tabs,
    },
    Parser {
        name: "syslog",
        doc: "files of syslog: RFC 3164, ISO time stamps, RFC 5424",
        parse: syslog::line,
        joins: Joins::Traces,
    },
    Parser {
        name: "apache_error",
        doc: "Apache's error log, of 2.4 and 2.2",
        parse: apache_error::line,
        joins: Joins::Traces,
    },
    Parser {
        name: "simple_timestamp",
        doc: "a time stamp, perhaps level and logger, and a message; nginx's error log",
        parse: simple_timestamp::line,
        joins: Joins::Traces,
    },
    Parser {
        name: "fail2ban",
        doc: "fail2ban.log",
        parse: fail2ban::line,
        joins: Joins::All,
    },
    Parser {
        name: "certbot",
        doc: "letsencrypt.log",
        parse: certbot::line,
        joins: Joins::All,
    },
    Parser {
        name: "access",
        doc: "access logs in common or combined format, as Apache and nginx write them",
        parse: access::line,
        joins: Joins::Traces,
    },
    Parser {
        name: "caddy",
        doc: "Caddy's JSON logs",
        parse: caddy::line,
        joins: Joins::Traces,
    },
];

/// One of [`PARSERS`].
#[derive(Clone, Copy, Debug)]
pub struct ParserKind(&'static Parser);

impl ParserKind {
    /// The journal's.
    pub const JOURNAL: Self = Self(&PARSERS[0]);

    /// The parser of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        PARSERS.iter().find(|parser| parser.name == name).map(Self)
    }

    /// As the configuration names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }
}

/// What a parser must be told about its stream.
#[derive(Clone, Debug)]
pub struct ParserOptions {
    /// Zone of times that say none.
    pub zone: TimeZone,
    /// PostgreSQL's `log_line_prefix`; `None` for its default in Debian's packages,
    /// `%m [%p] %q%u@%d `.
    pub log_line_prefix: Option<String>,
}

impl Default for ParserOptions {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            log_line_prefix: None,
        }
    }
}

/// Where the lines went: `lines = blank + joined + begun`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines taken.
    pub lines: u64,
    /// Of these, blank ones; they are not stored.
    pub blank: u64,
    /// Of these, lines that belong to the event of another.
    pub joined: u64,
    /// Of these, lines that began an event: as many events come out in the end.
    pub begun: u64,
}

/// What a parser keeps between the lines of one stream.
#[derive(Debug, Default)]
struct State {
    prefix: postgresql::Prefix,
    record: postgresql::Record,
}

/// What a line is.
enum Parsed<'a> {
    /// The head of an event.
    Event(Draft<'a>),
    /// More of the event before, under a name of its own; an event itself where there is none.
    Part(&'static str, Draft<'a>),
    /// Kept by the parser until the record that it belongs to is whole.
    Held,
    /// Nothing this parser knows.
    Headless,
}

/// An event as its head says it.
#[derive(Debug, Default)]
struct Draft<'a> {
    stamp: Option<Stamp>,
    level: Option<Level>,
    /// The source's own word, where it says more than the level.
    severity: &'a str,
    component: Cow<'a, str>,
    message: Cow<'a, str>,
    pid: Option<u32>,
    context: Context,
    access: Option<Access>,
    /// Nothing can follow that belongs to it.
    whole: bool,
    /// How secrets leave the message; [`redact::text`] unless said.
    redact: Option<Redact>,
}

/// Reads one stream: parser and joiner.
#[derive(Debug)]
pub struct Reader {
    parser: &'static Parser,
    state: State,
    clock: Clock,
    now: Timestamp,
    open: Option<Open>,
    /// When the last head was read, and the time that it says.
    before: Option<(Timestamp, Timestamp)>,
    journal: journal::Queue,
    /// Where the record begins that the parser holds.
    held: Option<u64>,
    counts: Counts,
}

impl Reader {
    /// A reader at the beginning of a stream, or at any head within it.
    #[must_use]
    pub fn new(kind: ParserKind, options: ParserOptions) -> Self {
        let prefix = options.log_line_prefix.as_deref();
        Self {
            parser: kind.0,
            state: State {
                prefix: prefix.map(postgresql::Prefix::new).unwrap_or_default(),
                ..State::default()
            },
            clock: Clock::new(options.zone),
            now: Timestamp::default(),
            open: None,
            before: None,
            journal: journal::Queue::default(),
            held: None,
            counts: Counts::default(),
        }
    }

    /// Takes a line without its line break. `true_len` is its length in bytes before the source cut
    /// it. The event before it comes out when the line begins another; what can have no more lines
    /// comes out at once.
    pub fn line(
        &mut self,
        at: u64,
        bytes: &[u8],
        true_len: u64,
        now: Timestamp,
        out: &mut Vec<Event>,
    ) {
        self.counts.lines += 1;
        self.now = now;
        self.clock.set(now);
        if bytes.trim_ascii().is_empty() && self.held.is_none() && !self.goes_on(bytes) {
            self.counts.blank += 1;
            return;
        }
        let (text, changes) = clean::line(bytes);
        let line = Line {
            at,
            bytes,
            true_len,
            changes,
        };
        if self.held.is_some() && self.state.record.is_ended_by(&text) {
            self.release(out);
        }
        match (self.parser.parse)(&mut self.state, &text, &mut self.clock) {
            Parsed::Event(draft) => self.begin(draft, &line, out),
            Parsed::Part(name, draft) => {
                if self
                    .open
                    .as_mut()
                    .is_some_and(|open| open.part(&line, name, &draft))
                {
                    self.counts.joined += 1;
                } else {
                    self.begin(
                        Draft {
                            severity: name,
                            ..draft
                        },
                        &line,
                        out,
                    );
                }
            }
            Parsed::Held => {
                self.close(out);
                self.counts.joined += 1;
                self.held.get_or_insert(at);
            }
            Parsed::Headless => self.headless(&text, &line, out),
        }
    }

    /// Takes an entry of the journal. Events come out in the order in which they began.
    pub fn entry(&mut self, entry: &Entry, now: Timestamp, out: &mut Vec<Event>) {
        self.counts.lines += 1;
        self.now = now;
        self.clock.set(now);
        let reading = (&mut self.state, &mut self.clock);
        self.journal
            .take(entry, reading, (now, &mut self.counts), out);
    }

    /// Where the first event begins that may still grow. Positions may be stored up to there.
    #[must_use]
    pub fn open_at(&self) -> Option<u64> {
        let open = || self.open.as_ref().map(Open::at);
        self.held.or_else(open).or_else(|| self.journal.open_at())
    }

    /// Gives what may still have grown: the stream ended, or nothing came for a while.
    pub fn flush(&mut self, out: &mut Vec<Event>) {
        self.close(out);
        self.release(out);
        self.journal.flush(out);
    }

    /// Where the lines went.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// A blank line within a text that goes on by tabs.
    fn goes_on(&self, bytes: &[u8]) -> bool {
        self.parser.joins == Joins::Tabs && self.open.is_some() && bytes.first() == Some(&b'\t')
    }

    fn headless(&mut self, text: &str, line: &Line<'_>, out: &mut Vec<Event>) {
        let more = self
            .open
            .as_mut()
            .map(|open| (open.more(line, text, self.parser.joins), open.ts()));
        match more {
            Some((More::Joined, _)) => self.counts.joined += 1,
            // The lines go on in an event of their own, at the same time.
            Some((More::Full, Some(ts))) => {
                let mut draft = Draft {
                    message: Cow::Borrowed(text),
                    stamp: Some(Stamp { ts, clamped: false }),
                    ..Draft::default()
                };
                draft.context.flag("continued");
                self.begin(draft, line, out);
            }
            _ => {
                let level = Trace::is_failure(text).then_some(Level::Error);
                let message = Cow::Borrowed(text);
                self.begin(
                    Draft {
                        message,
                        level,
                        ..Draft::default()
                    },
                    line,
                    out,
                );
            }
        }
    }

    /// When a line without a time was written: with the line before, if both came in one reading;
    /// now, if it came alone.
    fn inferred(&self) -> Timestamp {
        self.before
            .filter(|(now, _)| *now == self.now)
            .map_or(self.now, |(_, ts)| ts)
    }

    fn begin(&mut self, draft: Draft<'_>, line: &Line<'_>, out: &mut Vec<Event>) {
        self.close(out);
        self.counts.begun += 1;
        let whole = draft.whole;
        let at = self.held.take().unwrap_or(line.at);
        if let Some(stamp) = draft.stamp {
            self.before = Some((self.now, stamp.ts));
        }
        let open = Open::new(draft, at, line, self.parser.joins, self.inferred());
        if whole {
            out.push(open.finish());
        } else {
            self.open = Some(open);
        }
    }

    /// Gives what the parser holds, though its record is not whole.
    fn release(&mut self, out: &mut Vec<Event>) {
        if let Some(at) = self.held {
            let draft = self.state.record.take();
            let line = Line {
                at,
                bytes: &[],
                true_len: 0,
                changes: clean::Changes::default(),
            };
            // One of its lines was counted as joined and begins the event after all.
            self.counts.joined -= 1;
            self.begin(draft, &line, out);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(Open::finish));
    }
}
