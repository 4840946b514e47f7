//! From heads and the lines that follow them to whole events.
//!
//! What follows a head is kept apart from its message, so that like events have like messages: as
//! `lines` of the context, or under the name that PostgreSQL gives it. PostgreSQL's own messages
//! have several lines, though, and stay together.
//!
//! Caps: [`MOST_BYTES`] and [`MOST_LINES`] for an event. A trace beyond them continues as another event
//! at the same time (`continued`), so that all of it is stored; a statement beyond them is cut, and
//! `lines_cut` counts what is missing.

use std::borrow::Cow;
use std::num::NonZeroU64;

use schema::Timestamp;

use super::time::Stamp;
use super::{Draft, Joins, Redact, clean, context::Context, postgresql, trace::Trace};
use crate::event::Event;
use crate::skeleton::{self, Recent};

/// Characters of a message that are stored.
const MESSAGE_CHARS: usize = 4096;
/// Bytes of the lines of one event that are kept.
const MOST_BYTES: usize = 64 * 1024;
/// Lines that join an event.
const MOST_LINES: u32 = 1000;
/// Bytes of a line that was not text that are kept as they were.
const RAW_BYTES: usize = 4096;

/// A line as it came.
pub(crate) struct Line<'a> {
    pub(crate) at: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) true_len: u64,
    pub(crate) changes: clean::Changes,
}

/// Memory of an event that is done with, for the next.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    pub(crate) component: String,
    pub(crate) message: String,
}

/// What one event leaves for the next: memory, and messages without a secret.
pub(crate) struct Memory<'a> {
    pub(crate) spare: Spare,
    pub(crate) plain: &'a mut Plain,
}

/// Skeletons of messages that hold no secret whatever their numbers are.
#[derive(Debug, Default)]
pub(crate) struct Plain(Recent<()>);

impl Plain {
    /// Returns a message without secrets, and its skeleton where it had none.
    fn redacted<'a>(&mut self, message: &'a str) -> (Cow<'a, str>, Option<NonZeroU64>) {
        let Some(skeleton) = skeleton::of(message) else {
            return (redact::clean(message), None);
        };
        if self.0.get(skeleton).is_some() {
            return (Cow::Borrowed(message), Some(skeleton));
        }
        let (clean, is_settled) = redact::inspect(message);
        if is_settled {
            self.0.put(skeleton, ());
        }
        let is_same = matches!(clean, Cow::Borrowed(_));
        (clean, is_same.then_some(skeleton))
    }
}

/// Returns the time of an event, and notes in its context if it is not the time in the line.
fn time(stamp: Option<Stamp>, context: &mut Context, now: Timestamp) -> Timestamp {
    match stamp {
        Some(stamp) => {
            if stamp.clamped {
                context.flag("ts_clamped");
            }
            stamp.ts
        }
        None => {
            context.infer_time();
            now
        }
    }
}

/// Returns how an event is redacted, and whether that is the usual way.
fn redaction(draft: &Draft<'_>) -> (Redact, bool) {
    // The server writes to syslog and to the journal, too.
    let is_server = postgresql::is_server(&draft.component);
    let usual: Redact = if is_server {
        postgresql::embedded
    } else {
        redact::clean
    };
    let is_usual = draft.redact.is_none() && !is_server;
    (draft.redact.unwrap_or(usual), is_usual)
}

/// An event that may still grow.
#[derive(Debug)]
pub(crate) struct Open {
    event: Event,
    context: Context,
    redact: Redact,
    /// Whether the message is redacted already, as no line can join it.
    redacted: bool,
    /// See [`Draft`].
    raised: bool,
    parts: Vec<(&'static str, String)>,
    headed: bool,
    lines: u32,
    lines_cut: u64,
    bytes: usize,
    trace: Trace,
    awaits: bool,
    changes: clean::Changes,
    raw: Option<Vec<u8>>,
}

/// What became of a line without a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// It joined.
    Joined,
    /// It belongs to the event, which is full.
    Full,
    /// It does not belong to it.
    Foreign,
}

impl Open {
    /// Begins an event. `at` is where its first line stands, `line` its last so far.
    pub(crate) fn new(
        draft: Draft<'_>,
        at: u64,
        line: &Line<'_>,
        joins: Joins,
        now: Timestamp,
        memory: Memory<'_>,
    ) -> Self {
        let Memory { spare, plain } = memory;
        let headed = draft.stamp.is_some();
        let (redact, is_usual) = redaction(&draft);
        let mut context = draft.context;
        if !draft.severity.is_empty() {
            context.name("severity", draft.severity);
        }
        let ts = time(draft.stamp, &mut context, now);
        if line.true_len > line.bytes.len() as u64 {
            context.number("line_bytes", line.true_len);
        }
        let message = clean::text(&draft.message);
        let trace = match draft.trace {
            Trace::Outside => Trace::after(&message),
            known => known,
        };
        let redacted = joins != Joins::Tabs || draft.whole;
        let (stored, skeleton) = match (redacted, is_usual) {
            (true, true) => plain.redacted(&message),
            (true, false) => (redact(&message), None),
            (false, _) => (Cow::Borrowed(&*message), None),
        };
        let raw =
            (line.changes.bytes && line.bytes.len() <= RAW_BYTES).then(|| line.bytes.to_vec());
        Self {
            bytes: message.len(),
            event: Event {
                ts,
                level: draft.level.unwrap_or_default(),
                component: written(spare.component, &draft.component),
                message: written(spare.message, &stored),
                skeleton,
                at,
                pid: draft.pid,
                access: draft.access,
                ..Event::default()
            },
            context,
            redact,
            redacted,
            raised: draft.raised,
            parts: Vec::new(),
            headed,
            lines: 0,
            lines_cut: 0,
            trace,
            awaits: draft.awaits,
            changes: line.changes,
            raw,
        }
    }

    /// Returns where it begins.
    pub(crate) const fn at(&self) -> u64 {
        self.event.at
    }

    /// Returns when it happened, if its head states it.
    pub(crate) fn ts(&self) -> Option<Timestamp> {
        self.headed.then_some(self.event.ts)
    }

    /// Takes a part that has a name, if it is of the same process.
    pub(crate) fn part(&mut self, line: &Line<'_>, name: &'static str, draft: &Draft<'_>) -> bool {
        if !self.headed || self.event.pid != draft.pid {
            return false;
        }
        let room = MOST_BYTES.saturating_sub(self.bytes);
        if room == 0 {
            self.lines_cut += 1;
        } else {
            let text = upto(&draft.message, room);
            self.bytes += text.len() + name.len();
            self.parts.push((name, text.to_owned()));
        }
        self.joined(line);
        true
    }

    /// Returns whether level and message of the event are still to come.
    pub(crate) const fn awaits(&self) -> bool {
        self.awaits
    }

    /// Takes level and message from the line that follows the head.
    pub(crate) fn complete(&mut self, line: &Line<'_>, draft: &Draft<'_>) {
        self.awaits = false;
        if let Some(level) = draft.level {
            self.event.level = level;
        }
        if !draft.severity.is_empty() {
            self.context.name("severity", draft.severity);
        }
        let message = clean::text(&draft.message);
        if self.trace == Trace::Outside {
            self.trace = Trace::after(&message);
        }
        self.bytes += message.len();
        self.event.skeleton = None;
        self.event.message = if self.redacted {
            (self.redact)(&message).into_owned()
        } else {
            message.into_owned()
        };
        self.joined(line);
    }

    /// Takes a line that has no head, if it belongs here.
    pub(crate) fn more(&mut self, line: &Line<'_>, text: &str, joins: Joins) -> More {
        let belongs = match joins {
            Joins::Tabs => text.starts_with('\t'),
            Joins::All if self.headed => true,
            Joins::All | Joins::Traces => self.trace.takes(text),
        };
        if !belongs {
            return More::Foreign;
        }
        if joins == Joins::Tabs {
            let text = &text[1..];
            if self.bytes + text.len() < MOST_BYTES {
                let last = self
                    .parts
                    .last_mut()
                    .map_or(&mut self.event.message, |(_, last)| last);
                last.push('\n');
                last.push_str(text);
                self.bytes += text.len() + 1;
            } else {
                self.bytes = MOST_BYTES;
                self.lines_cut += 1;
            }
        } else {
            if !self.has_room(text) {
                return More::Full;
            }
            self.lines(text);
        }
        self.joined(line);
        More::Joined
    }

    /// Adds lines of the same entry; what has no room is counted.
    pub(crate) fn lines(&mut self, text: &str) {
        let kept = upto(text, MOST_BYTES.saturating_sub(self.bytes));
        self.lines_cut += text[kept.len()..].lines().count() as u64;
        self.bytes += text.len() + 1;
        if self.parts.is_empty() {
            self.parts.push(("lines", String::new()));
        }
        if let Some((_, lines)) = self.parts.last_mut() {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(kept);
        }
    }

    /// Returns whether another line fits.
    pub(crate) fn has_room(&self, text: &str) -> bool {
        self.lines < MOST_LINES && self.bytes + text.len() <= MOST_BYTES
    }

    /// Process that wrote it.
    pub(crate) const fn pid(&self) -> Option<u32> {
        self.event.pid
    }

    /// Sets the unit that it belongs to.
    pub(crate) fn of_unit(&mut self, unit: &str) {
        unit.clone_into(&mut self.event.unit);
    }

    /// Counts a line that joined.
    pub(crate) fn joined(&mut self, line: &Line<'_>) {
        self.lines += 1;
        self.changes.bytes |= line.changes.bytes;
        self.changes.nul |= line.changes.nul;
    }

    /// Returns the event: redacted, cut, with its context.
    pub(crate) fn finish(mut self) -> Event {
        let mut event = self.event;
        let raised = if self.redacted {
            None
        } else {
            postgresql::Raised::of(self.raised, &self.parts)
        };
        if let Some(raised) = &raised {
            event.message = raised.message(&event.message);
        } else if !self.redacted {
            event.message = postgresql::message(self.redact, &event.message, &self.parts);
        }
        for (name, text) in &self.parts {
            let clean = if let Some(raised) = &raised {
                raised.part(name, text, &self.parts)
            } else if *name == "lines" && postgresql::is_server(&event.component) {
                redact::sql(text)
            } else {
                postgresql::part(name, text, &self.parts)
            };
            self.context.long(name, &clean);
        }
        if self.lines_cut > 0 {
            self.context.number("lines_cut", self.lines_cut);
        }
        if self.changes.nul {
            self.context.flag("nul");
        }
        if self.changes.bytes {
            match self.raw.filter(|raw| is_harmless(raw)) {
                Some(raw) => self.context.long("raw_b64", &base64(&raw)),
                None => self.context.flag("not_utf8"),
            }
        }
        event.chars = clean::cut(&mut event.message, MESSAGE_CHARS);
        event.is_unread = self.context.is_inferred();
        event.context = self.context.finish();
        event
    }
}

/// Returns the text in memory that was used before.
fn written(mut memory: String, text: &str) -> String {
    text.clone_into(&mut memory);
    memory
}

/// Returns whether a line may be kept as it was: nothing in it would be redacted.
fn is_harmless(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    redact::text(&text) == text && !text.contains('\'')
}

fn upto(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Encodes as base64 of RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| usize::from(group.get(at).copied().unwrap_or(0)));
        let letters = [
            a >> 2,
            (a << 4 | b >> 4) & 63,
            (b << 2 | c >> 6) & 63,
            c & 63,
        ];
        for (at, letter) in letters.into_iter().enumerate() {
            out.push(if at <= group.len() {
                char::from(LETTERS[letter])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text, "{bytes}");
        }
    }
}
