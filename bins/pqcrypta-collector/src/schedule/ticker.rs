//! Computes when the next tick is due.
//!
//! Ticks lie on multiples of the interval of the wall clock, so that all hosts of a fleet sample
//! together. Waiting is done on the monotonic clock and each wait is bounded by one and a half
//! intervals, so a jump of the wall clock shifts one tick and never causes a burst or a stop.
//! Ticks that were missed are skipped.

use schema::Timestamp;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Aligned ticks.
#[derive(Debug)]
pub(super) struct Ticker {
    interval: Duration,
    clock: fn() -> Timestamp,
    due: Instant,
}

impl Ticker {
    /// Creates a ticker whose first tick is due at once.
    pub(super) fn new(interval: Duration, clock: fn() -> Timestamp) -> Self {
        Self {
            interval,
            clock,
            due: Instant::now(),
        }
    }

    /// Waits for the next tick; returns how late it is.
    pub(super) async fn tick(&mut self) -> Duration {
        sleep_until(self.due).await;
        let now = Instant::now();
        let late = now.saturating_duration_since(self.due);
        self.due = now + until_next((self.clock)(), self.interval);
        late
    }

    /// Skips a tick that has become due meanwhile.
    pub(super) fn skip_missed(&mut self) {
        let now = Instant::now();
        if self.due <= now {
            self.due = now + until_next((self.clock)(), self.interval);
        }
    }

    /// Changes the interval from the next tick on.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        if interval != self.interval {
            self.interval = interval;
            self.due = Instant::now() + until_next((self.clock)(), interval);
        }
    }
}

/// Returns the time to the next multiple of the interval that is at least half an interval away.
fn until_next(wall: Timestamp, interval: Duration) -> Duration {
    let step = i64::try_from(interval.as_micros())
        .unwrap_or(i64::MAX)
        .max(1);
    let rest = step - wall.0.rem_euclid(step);
    let wait = if rest < step / 2 {
        rest.saturating_add(step)
    } else {
        rest
    };
    Duration::from_micros(wait.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn a_tick_falls_on_the_next_multiple() {
        for (wall, wait) in [
            (0, 10_000),
            (1_000, 9_000),
            (4_999, 5_001),
            (5_001, 14_999),
            (9_999, 10_001),
        ] {
            assert_eq!(
                until_next(Timestamp::from_millis(wall), TEN),
                Duration::from_millis(wait),
                "{wall}"
            );
        }
    }

    #[test]
    fn p18_no_clock_causes_a_burst_or_a_stop() {
        for wall in [
            i64::MIN,
            i64::MIN / 2,
            -1,
            0,
            951_782_399_999_999,
            253_402_300_799_000_000,
            i64::MAX,
        ] {
            for interval in [1, 10, 3600] {
                let interval = Duration::from_secs(interval);
                let wait = until_next(Timestamp(wall), interval);
                assert!(
                    wait >= interval / 2 && wait <= interval * 3 / 2,
                    "{wall}: {wait:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn p18_a_jump_of_the_wall_clock_shifts_one_tick() {
        use std::sync::atomic::{AtomicI64, Ordering};
        static OFFSET: AtomicI64 = AtomicI64::new(0);
        fn wall() -> Timestamp {
            Timestamp(1_700_000_000_000_000 + OFFSET.load(Ordering::Relaxed))
        }
        let mut ticker = Ticker::new(TEN, wall);
        let start = Instant::now();
        let mut count = 0;
        for jump in [0, 315_360_000, -315_360_000, -1, 3_600, -3_600, 86_400] {
            for _ in 0..6 {
                ticker.tick().await;
                count += 1;
                let elapsed = i64::try_from(start.elapsed().as_micros()).unwrap();
                OFFSET.store(elapsed + jump * 1_000_000, Ordering::Relaxed);
            }
        }
        let elapsed = start.elapsed().as_secs();
        assert!(
            (count * 10 - 120..=count * 10 + 120).contains(&elapsed),
            "{count} ticks in {elapsed} s"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn missed_ticks_are_skipped() {
        let mut ticker = Ticker::new(TEN, || Timestamp(0));
        ticker.tick().await;
        tokio::time::advance(Duration::from_secs(65)).await;
        assert_eq!(ticker.tick().await, Duration::from_secs(55));
        let before = Instant::now();
        ticker.tick().await;
        assert_eq!(before.elapsed(), TEN);
    }
}
