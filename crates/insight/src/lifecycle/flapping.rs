//! What began and ended lately: the memory that keeps a flapping condition open.

use schema::Timestamp;
use schema::micros::{HOUR, SECOND};

/// Beginnings older than this do not count.
const WINDOW: i64 = HOUR;
/// By this factor the wait before an end grows with each beginning within the window.
pub(super) const FLAP_FACTOR: u32 = 4;
/// The wait after the second beginning, before it grows: two samples at the default interval.
const FLAP_SECS: u32 = 20;
/// The wait grows no further than this: what has been good for a quarter of an hour has ended.
const LONGEST_SECS: u32 = 900;
/// More beginnings make no difference.
const MOST: usize = 8;

/// The beginnings and the newest end of one rule and target.
#[derive(Debug, Default)]
pub(super) struct Beginnings {
    began: Vec<Timestamp>,
    ended: Option<Timestamp>,
    /// The instant of the newest transition.
    newest: Option<Timestamp>,
}

impl Beginnings {
    /// Notes a beginning, or a return.
    pub(super) fn begin(&mut self, at: Timestamp) {
        if self.began.len() == MOST {
            self.began.remove(0);
        }
        self.began.push(at);
    }

    /// Notes beginnings that were before this program started. `goes_on`: the last of them has not ended, so that the
    /// first beginning noted here is none.
    pub(super) fn precede(&mut self, began: Vec<Timestamp>, goes_on: bool) {
        let own = std::mem::replace(&mut self.began, began);
        self.began
            .extend(own.into_iter().skip(usize::from(goes_on)));
        let surplus = self.began.len().saturating_sub(MOST);
        self.began.drain(..surplus);
    }

    /// Notes an end.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended = Some(at);
    }

    /// Returns whether it ended after this.
    pub(super) fn ended_after(&self, at: Timestamp) -> bool {
        self.ended.is_some() && self.newest.is_some_and(|newest| newest > at)
    }

    /// Returns for how many seconds a condition must be good before it has ended, `clear_secs` without flapping.
    pub(super) fn wait(&self, clear_secs: u32, at: Timestamp) -> u32 {
        let recent = self.began.iter().filter(|began| is_recent(**began, at));
        let times = u32::try_from(recent.count()).unwrap_or(u32::MAX);
        if times < 2 {
            return clear_secs;
        }
        let grown = FLAP_FACTOR
            .checked_pow(times - 1)
            .and_then(|factor| clear_secs.max(FLAP_SECS).checked_mul(factor));
        grown
            .unwrap_or(LONGEST_SECS)
            .min(LONGEST_SECS)
            .max(clear_secs)
    }

    /// Returns the instant of the next transition: at the evaluation, and after the transition before.
    pub(super) fn next_instant(&mut self, at: Timestamp, before: Option<Timestamp>) -> Timestamp {
        let before = self.newest.max(before);
        let next = before.map_or(at, |before| at.max(Timestamp(before.as_micros() + 1)));
        self.newest = Some(next);
        next
    }

    /// Returns whether nothing of it matters any more.
    pub(super) fn is_past(&self, at: Timestamp) -> bool {
        let marks = self.began.iter().chain(&self.newest);
        marks.into_iter().all(|mark| !is_recent(*mark, at))
    }
}

fn is_recent(then: Timestamp, at: Timestamp) -> bool {
    // A clock that was set back makes some of them later than now.
    (at.as_micros() - then.as_micros()).abs() < WINDOW.max(SECOND)
}
