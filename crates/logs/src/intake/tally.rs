//! What a batch adds to the sums: lines by hour, source and level, and by pattern.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use schema::Timestamp;

use crate::event::{Event, Level};
use crate::fingerprint::Fingerprint;
use crate::topic::Topics;

const HOUR: i64 = 3_600_000_000;
/// So many messages of a pattern are looked at for a topic in a batch: a flood of what has none costs no
/// more for that.
const LOOKED_AT: i64 = 16;

/// Lines of an hour, of one source and level.
pub type Hour = (Timestamp, Arc<str>, Level);

/// Lines of one pattern in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Source.
    pub source: Arc<str>,
    /// Level.
    pub level: Level,
    /// How many.
    pub count: i64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// One of the messages; one that the topic was found in, where there is one.
    pub sample: String,
    /// What they are about, where that is known: one of [`TOPICS`](crate::topic::TOPICS).
    pub topic: Option<&'static str>,
}

/// The sums of a batch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Lines by hour, source and level.
    pub hours: HashMap<Hour, i64, RandomState>,
    /// Lines by hour and pattern.
    pub patterns: HashMap<(Timestamp, Fingerprint), Seen, RandomState>,
    /// Events that no head of the parser fits: without a time of their own. By source.
    pub unread: HashMap<Arc<str>, i64, RandomState>,
    /// Lines of each level of the hour and source that came last, not in `hours` yet: many lines of one come in
    /// a row.
    recent: Option<(Timestamp, Arc<str>, [i64; Level::ALL.len()])>,
}

impl Tally {
    /// Adds an event of `source`.
    pub(super) fn add(
        &mut self,
        source: &Arc<str>,
        fingerprint: Fingerprint,
        event: &Event,
        topics: &mut Topics,
    ) {
        if event.is_unread {
            *self.unread.entry(Arc::clone(source)).or_default() += 1;
        }
        let hour = Timestamp(event.ts.as_micros().div_euclid(HOUR) * HOUR);
        match &mut self.recent {
            Some((known, name, counts)) if *known == hour && name == source => {
                counts[event.level as usize] += 1;
            }
            _ => {
                self.finish();
                let mut counts = [0; Level::ALL.len()];
                counts[event.level as usize] = 1;
                self.recent = Some((hour, Arc::clone(source), counts));
            }
        }
        let seen = self
            .patterns
            .entry((hour, fingerprint))
            .or_insert_with(|| Seen {
                source: Arc::clone(source),
                level: event.level,
                count: 0,
                first: event.ts,
                last: event.ts,
                sample: event.message.clone(),
                topic: None,
            });
        if seen.topic.is_none()
            && seen.count < LOOKED_AT
            && let Some(topic) = topics.of(event)
        {
            seen.topic = Some(topic);
            event.message.clone_into(&mut seen.sample);
        }
        seen.count += 1;
        seen.first = seen.first.min(event.ts);
        seen.last = seen.last.max(event.ts);
    }

    /// Brings `hours` up to date.
    pub(super) fn finish(&mut self) {
        if let Some((hour, source, counts)) = self.recent.take() {
            for (level, count) in Level::ALL.into_iter().zip(counts) {
                if count > 0 {
                    let key = (hour, Arc::clone(&source), level);
                    *self.hours.entry(key).or_default() += count;
                }
            }
        }
    }
}
