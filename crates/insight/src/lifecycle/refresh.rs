//! When an open finding is written again only because its figures are new.

use schema::Timestamp;
use schema::micros::{MINUTE, SECOND};

/// The first refresh comes so long after the finding was opened.
const FIRST: i64 = 30 * SECOND;
/// The interval doubles up to this: a day of an unchanged finding is some 300 rows.
const LONGEST: i64 = 5 * MINUTE;
/// One that asks for something else (another process, another session) waits for so long at most: who acts on what is shown
/// acts on what is there.
const CHANGED: i64 = MINUTE;

/// The pace of a finding's refreshes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    due: Timestamp,
    after: i64,
    /// The last transition.
    last: Timestamp,
}

impl Refresh {
    /// Begins with the shortest interval.
    pub(super) fn begin(at: Timestamp) -> Self {
        Self {
            due: Timestamp(at.as_micros() + FIRST),
            after: FIRST,
            last: at,
        }
    }

    /// Goes on with the longest interval, after one refresh that shows that it lasts.
    pub(super) fn restored(at: Timestamp) -> Self {
        Self {
            after: LONGEST,
            ..Self::begin(at)
        }
    }

    /// Returns whether a refresh is due, of one that asks for something else than before or not.
    pub(super) fn is_due(&self, at: Timestamp, asks_for_else: bool) -> bool {
        at >= self.due || (asks_for_else && at.as_micros() - self.last.as_micros() >= CHANGED)
    }

    /// Lengthens the interval after a refresh.
    pub(super) fn next(&mut self, at: Timestamp) {
        self.after = (2 * self.after).min(LONGEST);
        self.due = Timestamp(at.as_micros() + self.after);
        self.last = at;
    }
}
