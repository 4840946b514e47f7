//! Encodes the result of a round of reading as the batch of one transaction.

use logs::event::{Access, Event, Level};
use logs::intake::{self, NamedEvent};
use logs::source::GapReason;
use schema::logs::StreamPosition;
use schema::tables::DataGap;
use schema::{Row, Sample, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use store::logs::{Batch, Line, Lines, Position};

/// What a batch adds to the counters of its sources once it is stored.
#[derive(Debug, Default)]
pub(crate) struct SourceCounters {
    /// By source: events of each level, as in [`Level::ALL`], and the time of the latest.
    pub(crate) lines: Vec<(Arc<str>, [i64; 4], Timestamp)>,
    /// Bytes read, by source.
    pub(crate) bytes: Vec<(Arc<str>, u64)>,
    /// Events counted under the overflow fingerprint, by source.
    pub(crate) overflowed: Vec<(Box<str>, u64)>,
    /// Events that the parser did not recognise, by source.
    pub(crate) unread: Vec<(Arc<str>, i64)>,
    /// Whether a rule may find something: security events, lost lines, errors, warnings, topics.
    pub(crate) is_news: bool,
    /// Requests in access logs, by source.
    pub(crate) requests: Vec<(Arc<str>, Timestamp, Access)>,
}

impl SourceCounters {
    /// Counts an event and takes its request.
    fn add(&mut self, source: &Arc<str>, event: &mut Event) {
        // Sources are few, and consecutive events usually share one.
        let known = self.lines.iter().rposition(|(name, ..)| name == source);
        let at = known.unwrap_or_else(|| {
            let sum = (Arc::clone(source), [0; 4], Timestamp::default());
            self.lines.push(sum);
            self.lines.len() - 1
        });
        let (_, lines, newest) = &mut self.lines[at];
        lines[event.level as usize] += 1;
        *newest = (*newest).max(event.ts);
        if let Some(access) = event.access.take() {
            self.requests.push((Arc::clone(source), event.ts, access));
        }
    }
}

/// A batch, ready to be stored.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) batch: Batch,
    pub(crate) counters: SourceCounters,
}

/// Encodes events as they come, and keeps the version of each position.
#[derive(Debug)]
pub(crate) struct Encoder {
    versions: HashMap<(Arc<str>, Arc<str>), i64>,
    lines: Lines,
    host_id: i32,
    /// Identifier of the next line.
    next_line: i64,
    /// Expected size of the next batch in bytes, from that of the last.
    capacity: usize,
    counters: SourceCounters,
}

impl Encoder {
    /// Creates an encoder of a host's lines, which it numbers from `next_line` on.
    pub(crate) fn new(positions: Vec<Position>, host_id: i32, next_line: i64) -> Self {
        let versions = positions
            .into_iter()
            .map(|position| ((position.at.source, position.at.stream), position.version));
        Self {
            versions: versions.collect(),
            lines: Lines::default(),
            host_id,
            next_line,
            capacity: 0,
            counters: SourceCounters::default(),
        }
    }

    /// Adds an event to the current batch.
    pub(crate) fn add(&mut self, named: NamedEvent<'_>) {
        let NamedEvent {
            source,
            fingerprint,
            event,
        } = named;
        self.counters.add(source, event);
        if self.lines.is_empty() {
            self.lines = Lines::of_host(self.host_id, self.capacity);
        }
        let chars = event.chars;
        self.lines.push(
            event.ts,
            &Line {
                source,
                at: i64::try_from(event.at).unwrap_or(i64::MAX),
                level: event.level,
                component: &event.component,
                message: &event.message,
                message_chars: chars.map(|chars| i32::try_from(chars).unwrap_or(i32::MAX)),
                context: event.context.as_deref(),
                fingerprint: fingerprint.as_str(),
                line_id: self.next_line,
            },
        );
        self.next_line += 1;
    }

    /// Encodes the batch whose events were added.
    pub(crate) fn encode(&mut self, read: intake::Batch, now: Timestamp) -> Encoded {
        let lines = std::mem::take(&mut self.lines);
        self.capacity = lines.len() + lines.len() / 8;
        let intake::Batch {
            positions,
            gaps,
            security,
            changes,
            counts,
            bytes,
            ..
        } = read;
        let is_news = !security.is_empty()
            || !gaps.is_empty()
            || !counts.unread.is_empty()
            || counts.hours.iter().any(|hour| hour.level >= Level::Warn)
            || counts
                .patterns
                .iter()
                .any(|pattern| pattern.topic.is_some());
        let counters = SourceCounters {
            bytes,
            overflowed: counts.overflowed,
            unread: counts.unread,
            is_news,
            ..std::mem::take(&mut self.counters)
        };
        let mut rows = Vec::with_capacity(security.len() + changes.len() + gaps.len());
        rows.extend(security.into_iter().map(|(ts, event)| event.into_row(ts)));
        rows.extend(changes.into_iter().map(|(ts, change)| change.into_row(ts)));
        let lost = gaps
            .iter()
            .filter_map(|(source, gap)| gap_row(source, gap, now));
        rows.extend(lost);
        let batch = Batch {
            positions: positions.into_iter().map(|at| self.versioned(at)).collect(),
            counts: counts.hours,
            patterns: counts.patterns,
            merged: counts.merged,
            ..lines.batch(&rows)
        };
        Encoded { batch, counters }
    }

    /// Returns the position with the version that it replaces.
    fn versioned(&mut self, at: StreamPosition) -> Position {
        let key = (Arc::clone(&at.source), Arc::clone(&at.stream));
        let next = self.versions.entry(key).or_default();
        let version = *next;
        *next += 1;
        Position { at, version }
    }
}

/// Returns the row of a gap. What was skipped deliberately is logged and not a gap.
fn gap_row(source: &str, gap: &logs::source::Gap, now: Timestamp) -> Option<Row> {
    let bytes = gap
        .bytes
        .map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
    match gap.reason {
        GapReason::FirstSight | GapReason::Hole => {
            tracing::info!(
                source,
                reason = gap.reason.as_str(),
                bytes = gap.bytes,
                "skipped"
            );
            None
        }
        reason => {
            tracing::warn!(
                source,
                reason = reason.as_str(),
                bytes = gap.bytes,
                "lines were lost"
            );
            let row = DataGap {
                class: "logs".to_owned(),
                from_ts: gap.from.unwrap_or(now),
                to_ts: gap.to.unwrap_or(now),
                count: 1,
                rows: None,
                reason: format!("{source}: {}{bytes}", reason.as_str()),
            };
            Some(row.into_row(now))
        }
    }
}

/// The index of each level in [`SourceCounters::lines`] is that in [`Level::ALL`].
const _: () = assert!(Level::Debug as usize == 0 && Level::Error as usize == 3);
