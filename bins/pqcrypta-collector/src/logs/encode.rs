//! From what a round of reading gave to what one transaction stores.

use logs::event::{Access, Event, Level};
use logs::fingerprint::{Fingerprint, Merged};
use logs::intake::{self, Moved, Named};
use logs::source::GapReason;
use schema::tables::DataGap;
use schema::{Row, Sample, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use store::logs::{Batch, HourCount, Line, Lines, PatternCount, Position};

/// What a batch adds to the counters of its sources once it is stored.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By source: events of each level, as [`Level::ALL`], and the newest instant.
    pub(crate) lines: Vec<(Arc<str>, [i64; 4], Timestamp)>,
    /// Bytes read, by source.
    pub(crate) bytes: Vec<(Arc<str>, u64)>,
    /// Events named by overflow, by source.
    pub(crate) overflowed: Vec<(Box<str>, u64)>,
    /// Events that no head of the parser fits, by source.
    pub(crate) unread: Vec<(Arc<str>, i64)>,
    /// Whether there is something that a rule may find: security events, errors, warnings, topics.
    pub(crate) is_news: bool,
    /// Requests that access logs tell of, by source.
    pub(crate) requests: Vec<(Arc<str>, Timestamp, Access)>,
}

impl Sums {
    fn add(&mut self, source: &Arc<str>, event: &mut Event) {
        // Sources are few, and one comes many times in a row.
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
    pub(crate) sums: Sums,
}

/// Encodes what comes, and knows how often each position was moved.
#[derive(Debug)]
pub(crate) struct Encoder {
    versions: HashMap<(String, String), i64>,
    lines: Lines,
    host_id: i32,
    /// Identifier of the next line.
    next_line: i64,
    /// Bytes that the next batch will have, to judge by the last.
    room: usize,
    sums: Sums,
}

impl Encoder {
    /// Creates an encoder of a host's lines, which it numbers from `next_line` on.
    pub(crate) fn new(positions: Vec<Position>, host_id: i32, next_line: i64) -> Self {
        let versions = positions
            .into_iter()
            .map(|one| ((one.source, one.stream), one.version));
        Self {
            versions: versions.collect(),
            lines: Lines::default(),
            host_id,
            next_line,
            room: 0,
            sums: Sums::default(),
        }
    }

    /// Takes an event of the batch that is being made.
    pub(crate) fn take(&mut self, named: Named<'_>) {
        let Named {
            source,
            fingerprint,
            event,
        } = named;
        self.sums.add(source, event);
        if self.lines.is_empty() {
            self.lines = Lines::of_host(self.host_id, self.room);
        }
        let chars = event.chars;
        self.lines.push(
            event.ts,
            &Line {
                source,
                at: i64::try_from(event.at).unwrap_or(i64::MAX),
                level: event.level.as_str(),
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

    /// Ends the batch whose events were taken.
    pub(crate) fn encode(&mut self, given: intake::Batch, now: Timestamp) -> Encoded {
        let lines = std::mem::take(&mut self.lines);
        self.room = lines.len() + lines.len() / 8;
        let is_severe = |(_, _, level): &intake::Hour| *level >= Level::Warn;
        let is_news = !given.security.is_empty()
            || !given.tally.unread.is_empty()
            || given.tally.hours.keys().any(is_severe)
            || given
                .tally
                .patterns
                .values()
                .any(|seen| seen.topic.is_some());
        let sums = Sums {
            bytes: given.bytes,
            overflowed: given.news.overflowed,
            unread: given.tally.unread.into_iter().collect(),
            is_news,
            ..std::mem::take(&mut self.sums)
        };
        let mut rows = Vec::with_capacity(given.security.len() + given.gaps.len());
        rows.extend(
            given
                .security
                .into_iter()
                .map(|(ts, event)| event.into_row(ts)),
        );
        rows.extend(
            given
                .gaps
                .iter()
                .filter_map(|(source, gap)| lost(source, gap, now)),
        );
        let templates: HashMap<_, _> = given
            .news
            .patterns
            .into_iter()
            .map(|pattern| (pattern.fingerprint, pattern.template))
            .collect();
        let hours = given.tally.hours.into_iter();
        let patterns = given.tally.patterns.into_iter();
        let mut patterns: Vec<PatternCount> = patterns
            .map(|((hour, fingerprint), seen)| PatternCount {
                hour,
                template: templates.get(&fingerprint).cloned().unwrap_or_default(),
                fingerprint: fingerprint.as_str().to_owned(),
                source: seen.source.as_ref().to_owned(),
                level: seen.level.as_str(),
                count: seen.count,
                first: seen.first,
                last: seen.last,
                sample: seen.sample,
                topic: seen.topic,
            })
            .collect();
        add_families(&mut patterns, &templates, &given.news.merged);
        let batch = Batch {
            positions: given.moved.into_iter().map(|one| self.mark(one)).collect(),
            counts: hours
                .map(|((hour, source, level), count)| HourCount {
                    hour,
                    source: source.as_ref().to_owned(),
                    level: level.as_str(),
                    count,
                })
                .collect(),
            patterns,
            merged: given
                .news
                .merged
                .iter()
                .map(|one| (one.old.as_str().to_owned(), one.into.as_str().to_owned()))
                .collect(),
            ..lines.batch(&rows)
        };
        Encoded { batch, sums }
    }

    /// The position with the version it is moved from.
    fn mark(&mut self, moved: Moved) -> Position {
        let key = (
            moved.source.as_ref().to_owned(),
            moved.stream.as_ref().to_owned(),
        );
        let version = self.versions.entry(key).or_default();
        let position = Position {
            source: moved.source.as_ref().to_owned(),
            stream: moved.stream.as_ref().to_owned(),
            version: *version,
            position: moved.position,
        };
        *version += 1;
        position
    }
}

/// Adds the families that came to be: no line is named after one that is new, so its row has no count,
/// and times and sample of a line that belongs to it.
fn add_families(
    patterns: &mut Vec<PatternCount>,
    templates: &HashMap<Fingerprint, String>,
    merged: &[Merged],
) {
    for (family, template) in templates {
        let name = family.as_str();
        if patterns.iter().any(|one| one.fingerprint == name) {
            continue;
        }
        let member = merged
            .iter()
            .filter(|one| one.into == *family)
            .find_map(|one| {
                let old = one.old.as_str();
                patterns.iter().find(|seen| seen.fingerprint == old)
            });
        if let Some(member) = member {
            let row = PatternCount {
                fingerprint: name.to_owned(),
                template: template.clone(),
                count: 0,
                ..member.clone()
            };
            patterns.push(row);
        }
    }
}

/// A row about what a source lost. What was left out on purpose is no loss.
fn lost(source: &str, gap: &logs::source::Gap, now: Timestamp) -> Option<Row> {
    let bytes = gap
        .bytes
        .map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
    match gap.reason {
        GapReason::FirstSight | GapReason::Hole => {
            tracing::info!(
                source,
                reason = gap.reason.as_str(),
                bytes = gap.bytes,
                "left out"
            );
            None
        }
        reason => {
            tracing::warn!(
                source,
                reason = reason.as_str(),
                bytes = gap.bytes,
                "lines are lost"
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

/// The place of each level in [`Sums::lines`] is that in the list of all.
const _: () = assert!(Level::Debug as usize == 0 && Level::Error as usize == 3);
