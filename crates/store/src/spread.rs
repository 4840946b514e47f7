//! What many hosts do at the same instant, spread over time: their ticks and jobs are aligned to the wall clock, so all would
//! come at once.
//!
//! Each machine waits a fixed part of a span. The span grows with the number of hosts, so that one host alone waits for nothing.

use sha2::{Digest, Sha256};
use std::time::Duration;

/// The place of a machine among the hosts of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which part of the span it waits, of `u32::MAX`.
    part: u32,
    hosts: u32,
}

impl Place {
    /// Returns the place of a machine among so many hosts: always the same part.
    #[must_use]
    pub fn new(machine_id: &str, hosts: u32) -> Self {
        let digest = Sha256::digest(machine_id.as_bytes());
        let first = digest.iter().take(4);
        Self {
            part: first.fold(0, |part, byte| part << 8 | u32::from(*byte)),
            hosts,
        }
    }

    /// Returns how long it waits where each host takes the server this long; the span is at most `longest`.
    #[must_use]
    pub fn offset(self, per_host: Duration, longest: Duration) -> Duration {
        if self.hosts < 2 {
            return Duration::ZERO;
        }
        let span = per_host.saturating_mul(self.hosts).min(longest);
        span.mul_f64(f64::from(self.part) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_spread_evenly_and_each_keeps_its_place() {
        let of = |machine: u32, hosts| {
            let place = Place::new(&format!("machine-{machine}"), hosts);
            place.offset(Duration::from_millis(10), Duration::from_secs(2))
        };
        assert_eq!(of(1, 0), Duration::ZERO);
        assert_eq!(of(1, 1), Duration::ZERO, "one host waits for nothing");
        assert_eq!(of(1, 200), of(1, 200));
        assert!((0..100).all(|machine| of(machine, 20) <= Duration::from_millis(200)));
        let hosts = 3_000;
        let mut quarters = [0; 4];
        for machine in 0..hosts {
            let quarter = (of(machine, hosts).as_millis() / 501) as usize;
            quarters[quarter] += 1;
        }
        // 750 each; one standard deviation is 24.
        assert!(
            quarters.iter().all(|count| (650..850).contains(count)),
            "{quarters:?}"
        );
    }
}
