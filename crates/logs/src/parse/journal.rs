//! Messages of the journal: what services write, one entry per line of their output.
//!
//! A message is text of Rust's `tracing`, a JSON object, or anything. Priority, unit and process come
//! from the journal; a level that the message itself states in its format is more exact, because
//! journald gives all that a service prints the same priority.
//!
//! A trace is as many entries as it has lines, with those of other units in between. So an event stays
//! open until an entry of the same unit and process begins another, or one comes that is
//! [`APART_MICROS`] younger. Events come out in the order in which they began, so that a position
//! always has all events before it and none after it.

use std::borrow::Cow;
use std::collections::VecDeque;

use schema::Timestamp;

use super::join::{Line, Memory, Open, Plain, Spare};
use super::time::{Clock, Stamp};
use super::trace::Trace;
use super::{Counts, Draft, Joins, Parsed, State, clean, faults, level, simple_timestamp, tracing};
use crate::event::{Event, Level};
use crate::source::Entry;

/// Lines of one trace are written at once: milliseconds apart. A quarter of a second leaves room for
/// a host under load.
const APART_MICROS: i64 = 250_000;
/// Events that wait at most; a burst of other units must not grow memory.
const MOST_WAITING: usize = 512;
/// How far back the event of the same process is searched for.
const MOST_BACK: usize = 64;

/// Parses a line; see [`super::PARSERS`]. Reads the message alone.
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    // Indented, it is a line of something else.
    if line.starts_with("  ") {
        return Parsed::Headless;
    }
    if let Some(mut draft) = simple_timestamp::structured(line, clock) {
        draft.whole = line.starts_with('{');
        return Parsed::Event(draft);
    }
    if let Some(draft) = tracing::levelled(line) {
        return Parsed::Event(draft);
    }
    // A level that is alone stays in the message, and counts less than the journal's own.
    let draft =
        simple_timestamp::read(line, clock).filter(|draft| draft.level.is_some() && !draft.is_weak);
    draft.map_or(Parsed::Headless, Parsed::Event)
}

/// An event that is not out yet.
#[derive(Debug)]
struct Waiting {
    open: Open,
    unit: Box<str>,
    last: Option<Timestamp>,
    closed: bool,
    trace: Trace,
}

/// Events in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    /// A private key whose lines are entries of their own.
    pem: redact::Pem,
}

impl Queue {
    /// Returns where the first event begins that is not out yet.
    pub(crate) fn open_at(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.open.at())
    }

    /// Takes an entry.
    pub(crate) fn take(
        &mut self,
        entry: &Entry,
        (state, clock): (&mut State, &mut Clock),
        (now, counts): (Timestamp, &mut Counts),
        out: &mut Vec<Event>,
    ) {
        let (text, changes) = clean::line(entry.message.as_bytes());
        let text = self.pem.text(&text);
        let line = Line {
            at: entry.seqnum,
            bytes: entry.message.as_bytes(),
            true_len: 0,
            changes,
        };
        self.settle(entry, out);
        // A JSON object may be spread over lines, everything else has a first one.
        let (first, rest) = match text.split_once('\n') {
            Some(parts) if !text.starts_with('{') => parts,
            _ => (text.as_ref(), ""),
        };
        let draft = match self::line(state, first, clock) {
            Parsed::Event(draft) => {
                if let Some(waiting) = self.same(entry) {
                    waiting.closed = true;
                }
                draft
            }
            _ if self.joins(entry, &text, &line) => {
                counts.joined += 1;
                return;
            }
            _ => plain(entry, first),
        };
        counts.begun += 1;
        let draft = of_journal(draft, entry, now);
        self.open(draft, entry, (&line, rest), now, &mut state.plain);
        self.give(out);
    }

    /// Opens an event, which further entries may continue.
    fn open(
        &mut self,
        draft: Draft<'_>,
        entry: &Entry,
        (line, rest): (&Line<'_>, &str),
        now: Timestamp,
        plain: &mut Plain,
    ) {
        let whole = draft.whole;
        let mut trace = Trace::after(&draft.message);
        let memory = Memory {
            spare: Spare::default(),
            plain,
        };
        let mut open = Open::new(draft, entry.seqnum, line, Joins::Traces, now, memory);
        open.of_unit(&entry.unit);
        if !rest.is_empty() {
            open.lines(rest);
            rest.lines().for_each(|line| {
                trace.takes(line);
            });
        }
        self.waiting.push_back(Waiting {
            open,
            unit: entry.unit.as_str().into(),
            last: entry.ts,
            closed: whole,
            trace,
        });
    }

    /// Gives everything.
    pub(crate) fn flush(&mut self, out: &mut Vec<Event>) {
        out.extend(self.waiting.drain(..).map(|waiting| waiting.open.finish()));
    }

    /// Returns the event of the same process that began last, if it may still grow.
    fn same(&mut self, entry: &Entry) -> Option<&mut Waiting> {
        self.waiting
            .iter_mut()
            .rev()
            .take(MOST_BACK)
            .find(|waiting| {
                *waiting.unit == *entry.unit.as_str() && waiting.open.pid() == entry.pid
            })
            .filter(|waiting| !waiting.closed)
    }

    /// Adds an entry without a head to the event that it continues with.
    fn joins(&mut self, entry: &Entry, text: &str, line: &Line<'_>) -> bool {
        let Some(waiting) = self.same(entry) else {
            return false;
        };
        if text.is_empty() || !waiting.trace.takes(text) || !waiting.open.has_room(text) {
            waiting.closed = true;
            return false;
        }
        waiting.open.lines(text);
        waiting.open.joined(line);
        waiting.last = entry.ts.or(waiting.last);
        true
    }

    /// Closes what can no longer grow, now that this entry is here.
    fn settle(&mut self, entry: &Entry, out: &mut Vec<Event>) {
        for waiting in &mut self.waiting {
            let apart = match (entry.ts, waiting.last) {
                (Some(ts), Some(last)) => (ts.as_micros() - last.as_micros()).abs(),
                _ => 0,
            };
            waiting.closed |= apart > APART_MICROS;
        }
        self.give(out);
    }

    fn give(&mut self, out: &mut Vec<Event>) {
        while let Some(front) = self.waiting.front()
            && (front.closed || self.waiting.len() > MOST_WAITING)
        {
            out.extend(
                self.waiting
                    .pop_front()
                    .map(|waiting| waiting.open.finish()),
            );
        }
    }
}

/// Returns a message without its own format.
fn plain<'a>(entry: &Entry, text: &'a str) -> Draft<'a> {
    // Priority 6 is what journald gives to all that is printed.
    let leading = match entry.priority {
        None | Some(6) => level::leading(text)
            .or_else(|| failure(text))
            .or_else(|| faults::of_errno(text)),
        Some(_) => None,
    };
    Draft {
        level: leading,
        message: Cow::Borrowed(text),
        ..Draft::default()
    }
}

fn failure(text: &str) -> Option<Level> {
    Trace::is_failure(text).then_some(Level::Error)
}

/// Adds what the journal knows.
fn of_journal<'a>(mut draft: Draft<'a>, entry: &'a Entry, now: Timestamp) -> Draft<'a> {
    if let Some(ts) = entry.ts {
        draft.stamp = Some(Stamp { ts, clamped: false });
    } else if draft.stamp.is_none() {
        draft.stamp = Some(Stamp {
            ts: now,
            clamped: false,
        });
        draft.context.infer_time();
    }
    if draft.level.is_none()
        && let Some((level, word)) = entry.priority.and_then(level::of_severity)
    {
        draft.level = Some(level);
        if level::is_finer(word, level) {
            draft.severity = word;
        }
    }
    draft.pid = entry.pid;
    let context = &mut draft.context;
    context.name("unit", &entry.unit);
    if let Some(pid) = entry.pid {
        context.number("pid", pid.into());
    }
    if entry.is_withheld {
        context.flag("withheld");
    }
    let mut program = entry.identifier.as_str();
    // What `tracing` sends to the journal itself has its target in a field.
    let target = entry.fields.iter().find(|(name, _)| name == "TARGET");
    if draft.component.is_empty() {
        let component = target.map_or(program, |(_, target)| target);
        draft.component = Cow::Borrowed(component);
    }
    if program == draft.component {
        program = "";
    }
    context.name("program", program);
    for (name, value) in &entry.fields {
        if name != "TARGET" {
            let name = name.strip_prefix("F_").unwrap_or(name).to_ascii_lowercase();
            if !context.has(&name) {
                context.text(&name, value);
            }
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, instant, summary};
    use super::super::{ParserKind, ParserOptions, Reader};
    use super::*;

    /// Entries of (milliseconds, unit, process, priority, message), one sequence number each.
    fn read(entries: &[(i64, &str, u32, u8, &str)]) -> (Vec<String>, Reader) {
        let mut reader = Reader::new(ParserKind::JOURNAL, ParserOptions::default());
        let mut out = Vec::new();
        for (at, (millis, unit, pid, priority, message)) in (1..).zip(entries) {
            let entry = Entry {
                seqnum: at,
                ts: Some(Timestamp(
                    instant("2026-11-23T00:10:49Z").as_micros() + millis * 1000,
                )),
                unit: (*unit).to_owned(),
                identifier: unit.trim_end_matches(".service").to_owned(),
                pid: Some(*pid),
                priority: Some(*priority),
                message: (*message).to_owned(),
                ..Entry::default()
            };
            reader.entry(&entry, instant(NOW), &mut out);
            let open_at = reader.open_at().unwrap_or(at + 1);
            assert!(
                out.iter().all(|event| event.at < open_at),
                "what is out is behind the position"
            );
        }
        (out.iter().map(summary).collect(), reader)
    }

    #[test]
    fn formats_are_recognised_by_the_message() {
        let (mut summary, mut reader) = read(&[
            (
                0,
                "api.service",
                7,
                6,
                "\u{1b}[2m2026-11-23T00:10:48.9Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m api::db: slow",
            ),
            (
                1,
                "api.service",
                7,
                6,
                r#"{"level":"ERROR","target":"api","message":"no","n":1}"#,
            ),
            (2, "cron.service", 8, 4, "low"),
            (3, "cron.service", 8, 6, "error: it failed"),
            (4, "x.service", 9, 7, ""),
            (5, "y.service", 9, 6, "first\nsecond\nthird"),
        ]);
        let mut rest = Vec::new();
        reader.flush(&mut rest);
        summary.extend(rest.iter().map(super::super::testing::summary));
        assert_eq!(
            summary,
            [
                r#"2026-11-23T00:10:49Z warn api::db: slow {"unit":"api.service","pid":7,"program":"api"}"#,
                r#"2026-11-23T00:10:49.001Z error api: no {"fields":{"n":1},"unit":"api.service","pid":7}"#,
                r#"2026-11-23T00:10:49.002Z warn cron: low {"unit":"cron.service","pid":8}"#,
                r#"2026-11-23T00:10:49.003Z error cron: error: it failed {"unit":"cron.service","pid":8}"#,
                r#"2026-11-23T00:10:49.004Z debug x:  {"unit":"x.service","pid":9}"#,
                r#"2026-11-23T00:10:49.005Z info y: first {"unit":"y.service","pid":9,"lines":"second\nthird"}"#,
            ]
        );
    }

    #[test]
    fn a_trace_is_joined_across_other_units() {
        let (summary, reader) = read(&[
            (
                0,
                "a.service",
                1,
                6,
                "thread 'main' panicked at src/main.rs:1:1:",
            ),
            (1, "b.service", 2, 6, "something else"),
            (2, "a.service", 1, 6, "it broke"),
            (3, "a.service", 1, 6, "stack backtrace:"),
            (4, "c.service", 1, 6, "   another process"),
            (5, "a.service", 1, 6, "   0: main"),
            (6, "a.service", 9, 6, "   not of this process"),
            (400, "b.service", 2, 6, "later"),
            (401, "a.service", 1, 6, "   too late"),
        ]);
        assert_eq!(summary.len(), 4, "{summary:#?}");
        assert!(
            summary[0].ends_with(r#""lines":"it broke\nstack backtrace:\n   0: main"}"#),
            "{summary:#?}"
        );
        assert_eq!(reader.open_at(), Some(8), "only the last two wait");
        let counts = reader.counts();
        assert_eq!((counts.lines, counts.joined, counts.begun), (9, 3, 6));
    }

    #[test]
    fn a_burst_is_not_kept_back() {
        let entries = vec![(0, "a.service", 1, 6, "x"); 2000];
        let other = [(0, "b.service", 2, 6, "first")];
        let (summary, reader) = read(&[&other[..], &entries[..]].concat());
        assert!(summary.len() > 2000 - MOST_WAITING, "{}", summary.len());
        assert!(reader.open_at().is_some());
    }
}
