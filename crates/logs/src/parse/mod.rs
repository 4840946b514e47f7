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

mod clean;
mod context;
mod join;
mod level;
mod postgresql;
mod syslog;
mod time;
mod trace;

#[cfg(test)]
mod testing;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use schema::Timestamp;

use crate::event::{Access, Event, Level};
use context::Context;
use join::{Line, More, Open};
use time::{Clock, Stamp};

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
];

/// One of [`PARSERS`].
#[derive(Clone, Copy, Debug)]
pub struct ParserKind(&'static Parser);

impl ParserKind {
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
#[expect(
    clippy::large_enum_variant,
    reason = "one is made per line; a box would cost more than a move"
)]
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

    /// Where the first event begins that may still grow. Positions may be stored up to there.
    #[must_use]
    pub fn open_at(&self) -> Option<u64> {
        self.held.or_else(|| self.open.as_ref().map(Open::at))
    }

    /// Gives what may still have grown: the stream ended, or nothing came for a while.
    pub fn flush(&mut self, out: &mut Vec<Event>) {
        self.close(out);
        if let Some(at) = self.held {
            let text = self.state.record.take();
            let line = Line {
                at,
                bytes: text.as_bytes(),
                true_len: 0,
                changes: <_>::default(),
            };
            // One of its lines was counted as joined and begins the event after all.
            self.counts.joined -= 1;
            let draft = Draft {
                message: Cow::Borrowed(&text),
                redact: Some(redact::sql),
                whole: true,
                ..Draft::default()
            };
            self.begin(draft, &line, out);
        }
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
            _ => self.begin(
                Draft {
                    message: Cow::Borrowed(text),
                    ..Draft::default()
                },
                line,
                out,
            ),
        }
    }

    fn begin(&mut self, draft: Draft<'_>, line: &Line<'_>, out: &mut Vec<Event>) {
        self.close(out);
        self.counts.begun += 1;
        let whole = draft.whole;
        let at = self.held.take().unwrap_or(line.at);
        let open = Open::new(draft, at, line, self.parser.joins, self.now);
        if whole {
            out.push(open.finish());
        } else {
            self.open = Some(open);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(Open::finish));
    }
}
