//! Rate limit for jobs that run on notification.
//!
//! The first notification starts a run at once. Further runs are at least [`NEWS_EVERY`] apart, and more when they
//! take long, so that they use one part in [`SHARE`] of a core of the server at most. Related data may be stored a
//! little later, with the next tick, so the last notification is followed by one more run.

use std::time::Duration;
use tokio::time::Instant;

/// Least time between two runs for news.
const NEWS_EVERY: Duration = Duration::from_secs(10);
/// … and at least this multiple of the duration of the last run.
const SHARE: u32 = 20;
/// Time from the last notification to the run that follows it: ticks are usually 10 s apart.
const LAST_LOOK: Duration = Duration::from_secs(20);

/// Paces the runs on notification.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the pause after the last run ends.
    not_before: Option<Instant>,
    due: Option<Instant>,
    /// Whether the last run was on notification, so that one more follows.
    last_look: bool,
}

impl Pace {
    /// Records a notification: a run is due when the pause has passed.
    pub(super) fn news(&mut self, now: Instant) {
        self.due = Some(self.not_before.map_or(now, |end| end.max(now)));
        self.last_look = true;
    }

    /// Records a run.
    pub(super) fn ran(&mut self, begun: Instant, took: Duration) {
        let pause = NEWS_EVERY.max(took.saturating_mul(SHARE));
        self.not_before = Some(begun + pause);
        let again = std::mem::take(&mut self.last_look);
        self.due = again.then(|| begun + pause.max(LAST_LOOK));
    }

    /// Waits until a run is due, forever if there is none.
    pub(super) async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_taken_soon_and_not_too_often() {
        let start = Instant::now();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut pace = Pace::default();
        assert_eq!(pace.due, None);
        // The first at once, and once more for the counters.
        pace.news(at(0));
        assert_eq!(pace.due, Some(at(0)));
        pace.ran(at(0), Duration::from_millis(20));
        assert_eq!(pace.due, Some(at(20)));
        // A further notification waits for the end of the pause.
        pace.news(at(1));
        assert_eq!(pace.due, Some(at(10)));
        // A run that takes two seconds is followed by forty without one.
        pace.ran(at(10), Duration::from_secs(2));
        pace.news(at(13));
        assert_eq!(pace.due, Some(at(50)));
        pace.ran(at(50), Duration::from_millis(1));
        assert_eq!(pace.due, Some(at(70)));
        // No run without a further notification.
        pace.ran(at(70), Duration::from_millis(1));
        assert_eq!(pace.due, None);
    }
}
