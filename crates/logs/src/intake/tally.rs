//! What a batch adds to the sums: lines by hour, source and level, and by pattern.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use schema::Timestamp;

use crate::event::{Event, Level};
use crate::fingerprint::Fingerprint;

const HOUR: i64 = 3_600_000_000;

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
    /// One of the messages.
    pub sample: String,
}

/// The sums of a batch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Lines by hour, source and level.
    pub hours: HashMap<Hour, i64, RandomState>,
    /// Lines by hour and pattern.
    pub patterns: HashMap<(Timestamp, Fingerprint), Seen, RandomState>,
}

impl Tally {
    /// Adds an event of `source`.
    pub(super) fn add(&mut self, source: &Arc<str>, fingerprint: Fingerprint, event: &Event) {
        let hour = Timestamp(event.ts.as_micros().div_euclid(HOUR) * HOUR);
        match self.hours.get_mut(&(hour, Arc::clone(source), event.level)) {
            Some(count) => *count += 1,
            None => {
                self.hours
                    .insert((hour, Arc::clone(source), event.level), 1);
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
            });
        seen.count += 1;
        seen.first = seen.first.min(event.ts);
        seen.last = seen.last.max(event.ts);
    }
}
