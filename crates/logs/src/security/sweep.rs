//! Sweeps over the windows, and expiry of silent entries.
//!
//! Visiting every entry costs more than the lines between two sweeps. So an entry that was silent for too long
//! only *counts* as expired from the next sweep on; its memory is released from time to time.

/// The sweeps so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sweeps {
    count: u32,
    /// The time of the last, microseconds.
    at: i64,
}

/// When an entry was seen last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastSeen {
    /// The time of the line, microseconds.
    pub(super) ts: i64,
    /// Number of sweeps before the line was read. A line may be older than the sweep before it.
    sweeps: u32,
}

impl Sweeps {
    /// Begins another sweep. Their times never decrease.
    pub(super) const fn advance(&mut self, now: i64) {
        self.count = self.count.wrapping_add(1);
        self.at = now;
    }

    /// Returns the mark of a line read now.
    pub(super) const fn mark(self, ts: i64) -> LastSeen {
        LastSeen {
            ts,
            sweeps: self.count,
        }
    }
}

impl LastSeen {
    /// Returns whether a later sweep found it silent for this long.
    pub(super) const fn is_expired(self, sweeps: Sweeps, silence: i64) -> bool {
        self.sweeps != sweeps.count && sweeps.at - self.ts >= silence
    }
}
