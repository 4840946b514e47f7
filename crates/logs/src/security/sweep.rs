//! When windows are looked through, and who was silent at that time.
//!
//! Looking at everyone costs more than the lines in between. So whoever was silent for too long only
//! *counts* as forgotten from the sweep on that finds it so; its memory is given back now and then.

/// The sweeps so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sweeps {
    count: u32,
    /// The time of the last, microseconds.
    at: i64,
}

/// When someone was heard of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// The time that the line says, microseconds.
    pub(super) ts: i64,
    /// After so many sweeps. A line may be older than the sweep before it.
    sweeps: u32,
}

impl Sweeps {
    /// Another one. Their times do not go back.
    pub(super) const fn pass(&mut self, now: i64) {
        self.count = self.count.wrapping_add(1);
        self.at = now;
    }

    /// Someone is heard of now.
    pub(super) const fn hear(self, ts: i64) -> Heard {
        Heard {
            ts,
            sweeps: self.count,
        }
    }
}

impl Heard {
    /// Whether a sweep since then found a silence of so long.
    pub(super) const fn is_over(self, sweeps: Sweeps, silence: i64) -> bool {
        self.sweeps != sweeps.count && sweeps.at - self.ts >= silence
    }
}
