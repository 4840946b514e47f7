//! Reads one stream: lines to the parser, heads and what follows them to the joiner.

use std::borrow::Cow;

use schema::Timestamp;

use super::container::{Stream, Wrapped};
use super::encoding::Encoding;
use super::join::{Line, Memory, More, Open, Spare};
use super::time::{Clock, Stamp};
use super::trace::Trace;
use super::{Draft, Joins, Parsed, Parser, ParserKind, ParserOptions, State};
use super::{access, clean, container, encoding, faults, journal, postgresql};
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
    /// When the last head was read, and the time that it states.
    before: Option<(Timestamp, Timestamp)>,
    journal: journal::Queue,
    /// Where the record begins that the parser holds.
    held: Option<u64>,
    counts: Counts,
    spare: Spare,
    /// A private key whose lines come one by one.
    pem: redact::Pem,
    encoding: Encoding,
    /// A line of UTF-16 that may continue.
    wide: Option<Wide>,
    /// Pieces of a line that a runtime cut.
    pieces: Option<Pieces>,
}

/// A line of UTF-16, of one or more lines of the source.
#[derive(Debug)]
struct Wide {
    at: u64,
    bytes: Vec<u8>,
    true_len: u64,
    encoding: Encoding,
}

/// Pieces of a line.
#[derive(Debug)]
struct Pieces {
    at: u64,
    text: String,
    outer: Outer,
}

/// Header that a container runtime put before a line.
#[derive(Debug)]
struct Outer {
    stamp: Option<Stamp>,
    stream: Stream,
    may_be_dated: bool,
}

/// A program's own time is that of the runtime but for what lies between writing and taking, and
/// rounding. What differs by more than a minute is local time of another zone, or copied.
const APART_MICROS: i64 = 60_000_000;

impl Outer {
    /// Adds stream and time. The time within the line counts where it agrees with the runtime's.
    fn complete(&self, draft: &mut Draft<'_>) {
        let agrees = |inner: Stamp| {
            let outer = self.stamp.map_or(inner.ts, |outer| outer.ts);
            self.may_be_dated && (inner.ts.as_micros() - outer.as_micros()).abs() <= APART_MICROS
        };
        draft.stamp = draft
            .stamp
            .filter(|inner| agrees(*inner))
            .or(self.stamp)
            .or(draft.stamp);
        draft.context.name("stream", self.stream.as_str());
    }
}

impl Wide {
    /// Returns whether a line of the source belongs to this one: they were cut within a character.
    fn goes_on(&self, at: u64, bytes: &[u8]) -> bool {
        let next = self.at + self.bytes.len() as u64 + 1;
        let is_next = at == next && self.bytes.len() < container::MOST_BYTES;
        is_next && !(self.encoding).is_break(self.at, &self.bytes, bytes.first().copied())
    }

    fn add(&mut self, bytes: &[u8], true_len: u64) {
        self.bytes.push(b'\n');
        self.bytes.extend_from_slice(bytes);
        self.true_len += true_len + 1;
    }

    /// Returns whether it is known without the next line that it ends here.
    fn is_whole(&self) -> bool {
        self.encoding == Encoding::Utf16Be && self.encoding.is_break(self.at, &self.bytes, None)
    }
}

impl Reader {
    /// Returns a reader at the beginning of a stream, or at any head within it.
    #[must_use]
    pub fn new(kind: ParserKind, options: ParserOptions) -> Self {
        let prefix = options.log_line_prefix.as_deref();
        Self {
            parser: kind.0,
            state: State {
                prefix: prefix.map(postgresql::Prefix::new).unwrap_or_default(),
                access: (options.access_format.as_deref())
                    .map(access::Format::new)
                    .unwrap_or_default(),
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
            encoding: Encoding::default(),
            wide: None,
            pieces: None,
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
        if let Some(mut wide) = self.wide.take() {
            if wide.goes_on(at, bytes) {
                wide.add(bytes, true_len);
                self.counts.joined += 1;
                self.wide(wide, out);
                return;
            }
            self.narrow(&wide, out);
        }
        self.encoding = self.encoding.of_line(at, bytes);
        if self.encoding == Encoding::Utf8 {
            self.text(at, bytes, true_len, None, out);
        } else {
            let wide = Wide {
                at,
                bytes: bytes.to_vec(),
                true_len,
                encoding: self.encoding,
            };
            self.wide(wide, out);
        }
    }

    /// Keeps a line of UTF-16 until it is complete.
    fn wide(&mut self, wide: Wide, out: &mut Vec<Event>) {
        if wide.is_whole() {
            self.narrow(&wide, out);
        } else {
            self.wide = Some(wide);
        }
    }

    /// Reads a line of UTF-16 that is whole.
    fn narrow(&mut self, wide: &Wide, out: &mut Vec<Event>) {
        let text = wide.encoding.decode(wide.at, &wide.bytes);
        let is_cut = wide.true_len > wide.bytes.len() as u64;
        let true_len = if is_cut {
            wide.true_len
        } else {
            text.len() as u64
        };
        self.text(wide.at, text.as_bytes(), true_len, None, out);
    }

    /// Reads a line of UTF-8, or what a runtime put around one.
    fn text(
        &mut self,
        at: u64,
        bytes: &[u8],
        true_len: u64,
        outer: Option<&Outer>,
        out: &mut Vec<Event>,
    ) {
        let (bytes, true_len) = match bytes.strip_prefix(encoding::UTF8_MARK) {
            Some(rest) => (rest, true_len.saturating_sub(3)),
            None => (bytes, true_len),
        };
        if bytes.trim_ascii().is_empty() && self.held.is_none() && !self.goes_on(bytes) {
            self.counts.blank += 1;
            return;
        }
        let (text, changes) = clean::line(bytes);
        if outer.is_none() {
            if let Some(wrapped) = container::unwrap(&text, &mut self.clock) {
                let cut = true_len.saturating_sub(bytes.len() as u64);
                self.wrapped(at, wrapped, cut, out);
                return;
            }
            self.release_pieces(out);
        }
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
        let parse = match (outer, self.parser.parse_contained) {
            (Some(_), Some(parse)) => parse,
            _ => self.parser.parse,
        };
        let parsed = parse(&mut self.state, &text, &mut self.clock);
        self.add(parsed, &text, &line, outer, out);
    }

    /// Begins an event with a parsed line, or joins the line to the open one.
    fn add(
        &mut self,
        parsed: Parsed<'_>,
        text: &str,
        line: &Line<'_>,
        outer: Option<&Outer>,
        out: &mut Vec<Event>,
    ) {
        match parsed {
            Parsed::Event(draft) => {
                if draft.is_weak && self.joins_weak(&draft, text, line) {
                    self.counts.joined += 1;
                } else {
                    self.begin(draft, line, outer, out);
                }
            }
            Parsed::More(draft) => match &mut self.open {
                Some(open) if open.has_room(&draft.message) => {
                    open.lines(&draft.message);
                    open.joined(line);
                    self.counts.joined += 1;
                }
                _ => self.begin(draft, line, outer, out),
            },
            Parsed::Part(name, draft) => {
                if self
                    .open
                    .as_mut()
                    .is_some_and(|open| open.part(line, name, &draft))
                {
                    self.counts.joined += 1;
                } else {
                    let draft = Draft {
                        severity: name,
                        ..draft
                    };
                    self.begin(draft, line, outer, out);
                }
            }
            Parsed::Held => {
                self.close(out);
                self.counts.joined += 1;
                self.held.get_or_insert(line.at);
            }
            Parsed::Headless => self.headless(text, line, outer, out),
        }
    }

    /// Takes what a runtime wrote of a line: all of it, or a piece. `cut` is how many bytes the source
    /// left out.
    fn wrapped(&mut self, at: u64, wrapped: Wrapped<'_>, cut: u64, out: &mut Vec<Event>) {
        if (self.pieces.as_ref()).is_some_and(|pieces| pieces.outer.stream != wrapped.stream) {
            self.release_pieces(out);
        }
        let outer = Outer {
            stamp: wrapped.stamp,
            stream: wrapped.stream,
            may_be_dated: wrapped.may_be_dated,
        };
        let Some(mut pieces) = self.pieces.take() else {
            if wrapped.is_partial {
                let text = wrapped.text.into_owned();
                self.pieces = Some(Pieces { at, text, outer });
            } else {
                let bytes = wrapped.text.as_bytes();
                self.text(at, bytes, bytes.len() as u64 + cut, Some(&outer), out);
            }
            return;
        };
        self.counts.joined += 1;
        pieces.text.push_str(&wrapped.text);
        let is_whole = !wrapped.is_partial || pieces.text.len() >= container::MOST_BYTES;
        self.pieces = Some(pieces);
        if is_whole {
            self.release_pieces(out);
        }
    }

    /// Reads the pieces of a line, whole or not.
    fn release_pieces(&mut self, out: &mut Vec<Event>) {
        if let Some(pieces) = self.pieces.take() {
            let bytes = pieces.text.as_bytes();
            let len = bytes.len() as u64;
            self.text(pieces.at, bytes, len, Some(&pieces.outer), out);
        }
    }

    /// Adds a line that has a level and no time to the event before, if that waits for it or is a stack
    /// trace that such a line continues with.
    fn joins_weak(&mut self, draft: &Draft<'_>, text: &str, line: &Line<'_>) -> bool {
        let joins = self.parser.joins;
        match &mut self.open {
            Some(open) if open.awaits() => {
                open.complete(line, draft);
                true
            }
            Some(open) => joins == Joins::Traces && open.more(line, text, joins) == More::Joined,
            None => false,
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

    /// Returns where the first event begins that may still grow. Positions may be stored up to there.
    #[must_use]
    pub fn open_at(&self) -> Option<u64> {
        // In the order in which they began.
        let open = || self.open.as_ref().map(Open::at);
        let pieces = || self.pieces.as_ref().map(|pieces| pieces.at);
        let wide = || self.wide.as_ref().map(|wide| wide.at);
        let found = self.held.or_else(open).or_else(pieces).or_else(wide);
        found.or_else(|| self.journal.open_at())
    }

    /// Gives what may still have grown: the stream ended, or nothing came for a while.
    pub fn flush(&mut self, out: &mut Vec<Event>) {
        if let Some(wide) = self.wide.take() {
            self.narrow(&wide, out);
        }
        self.release_pieces(out);
        self.close(out);
        self.release(out);
        self.journal.flush(out);
    }

    /// Returns where the lines went.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns a blank line within a text that continues by tabs.
    fn goes_on(&self, bytes: &[u8]) -> bool {
        self.parser.joins == Joins::Tabs && self.open.is_some() && bytes.first() == Some(&b'\t')
    }

    fn headless(
        &mut self,
        text: &str,
        line: &Line<'_>,
        outer: Option<&Outer>,
        out: &mut Vec<Event>,
    ) {
        if let Some(open) = self.open.as_mut().filter(|open| open.awaits()) {
            let message = Cow::Borrowed(text.trim_start());
            let draft = Draft {
                message,
                ..Draft::default()
            };
            open.complete(line, &draft);
            self.counts.joined += 1;
            return;
        }
        let more = self
            .open
            .as_mut()
            .map(|open| (open.more(line, text, self.parser.joins), open.ts()));
        match more {
            Some((More::Joined, _)) => self.counts.joined += 1,
            // The lines continue in an event of their own, at the same time.
            Some((More::Full, Some(ts))) => {
                let mut draft = Draft {
                    message: Cow::Borrowed(text),
                    stamp: Some(Stamp { ts, clamped: false }),
                    ..Draft::default()
                };
                draft.context.flag("continued");
                self.begin(draft, line, None, out);
            }
            _ => {
                let failure = Trace::is_failure(text).then_some(Level::Error);
                let draft = Draft {
                    message: Cow::Borrowed(text),
                    level: failure.or_else(|| faults::of_errno(text)),
                    ..Draft::default()
                };
                self.begin(draft, line, outer, out);
            }
        }
    }

    /// Returns when a line without a time was written: with the line before, if both came in one reading;
    /// now, if it came alone.
    fn inferred(&self) -> Timestamp {
        self.before
            .filter(|(now, _)| *now == self.now)
            .map_or(self.now, |(_, ts)| ts)
    }

    fn begin(
        &mut self,
        mut draft: Draft<'_>,
        line: &Line<'_>,
        outer: Option<&Outer>,
        out: &mut Vec<Event>,
    ) {
        if let Some(outer) = outer {
            outer.complete(&mut draft);
        }
        self.close(out);
        self.counts.begun += 1;
        let whole = draft.whole;
        let at = self.held.take().unwrap_or(line.at);
        if let Some(stamp) = draft.stamp {
            self.before = Some((self.now, stamp.ts));
        }
        let inferred = self.inferred();
        let memory = Memory {
            spare: std::mem::take(&mut self.spare),
            plain: &mut self.state.plain,
        };
        let open = Open::new(draft, at, line, self.parser.joins, inferred, memory);
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
            self.begin(draft, &line, None, out);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(Open::finish));
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
