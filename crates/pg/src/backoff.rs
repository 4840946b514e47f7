//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Doubling delays from half a second to half a minute, each shortened by up to a half so that many
/// hosts do not come back in step.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    ceiling: Duration,
}

impl Backoff {
    /// Shortest delay.
    pub const SHORTEST: Duration = Duration::from_millis(500);
    /// Longest delay.
    pub const LONGEST: Duration = Duration::from_secs(30);

    /// Starts at the shortest delay.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ceiling: Duration::from_secs(1),
        }
    }

    /// Returns the delay before the next attempt. `jitter` is a random number from 0 to 1; the delay lies
    /// between half of the ceiling (0) and the ceiling (1), and the ceiling doubles.
    pub fn next(&mut self, jitter: f64) -> Duration {
        let jitter = if jitter.is_nan() {
            1.0
        } else {
            jitter.clamp(0.0, 1.0)
        };
        let delay = self.ceiling.mul_f64(0.5 + 0.5 * jitter);
        self.ceiling = (self.ceiling * 2).min(Self::LONGEST);
        delay.clamp(Self::SHORTEST, Self::LONGEST)
    }

    /// Starts over; call it once a session works.
    pub fn reset(&mut self) {
        *self = Self::new();
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_from_half_a_second_to_half_a_minute() {
        let mut backoff = Backoff::new();
        let longest: Vec<u64> = (0..8).map(|_| backoff.next(1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff.next(0.0), Duration::from_secs(15));
        backoff.reset();
        assert_eq!(backoff.next(0.0), Backoff::SHORTEST);
    }

    #[test]
    fn every_jitter_stays_within_the_bounds() {
        for jitter in [-1.0, 0.0, 0.3, 1.0, 7.0, f64::NAN, f64::INFINITY] {
            let mut backoff = Backoff::default();
            for _ in 0..50 {
                let delay = backoff.next(jitter);
                assert!(
                    (Backoff::SHORTEST..=Backoff::LONGEST).contains(&delay),
                    "jitter {jitter}: {delay:?}"
                );
            }
        }
    }
}
