//! Reads one stream: lines to the parser, heads and what follows them to the joiner.

use std::borrow::Cow;

use schema::Timestamp;

use super::join::{Line, More, Open, Spare};
use super::time::{Clock, Stamp};
use super::trace::Trace;
use super::{Draft, Joins, Parsed, Parser, ParserKind, ParserOptions, State};
use super::{clean, journal, postgresql};
use crate::event::{Event, Level};
use crate::source::Entry;

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
    spare: Spare,
    /// A private key whose lines come one by one.
    pem: redact::Pem,
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
            spare: Spare::default(),
            pem: redact::Pem::default(),
        }
    }

    /// Takes back an event that is done with: the next one is written into its memory.
    pub fn recycle(&mut self, event: Event) {
        self.spare = Spare {
            component: event.component,
            message: event.message,
        };
        if let Some(context) = event.context {
            self.state.spare = context;
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
        let text = self.pem.text(&text);
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
        let spare = std::mem::take(&mut self.spare);
        let open = Open::new(draft, at, line, self.parser.joins, self.inferred(), spare);
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
