//! What a collector is given: where the kernel's files are, and what time it is.

use std::path::PathBuf;
use std::time::Duration;

/// Where the kernel's file systems are; a parameter so that tests read fixture trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Where procfs is mounted.
    pub proc: PathBuf,
    /// Where sysfs is mounted.
    pub sys: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: PathBuf::from("/proc"),
            sys: PathBuf::from("/sys"),
        }
    }
}

impl Roots {
    /// Returns a directory of the same host as its procfs: `/run` for `/proc`, `/host/run` for `/host/proc`.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.proc.parent().unwrap_or(&self.proc).join(name)
    }
}

/// The instant of a tick, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock: what rows are stamped with. May jump; never subtracted.
    pub ts: schema::Timestamp,
    /// Monotonic clock since an arbitrary start: what elapsed time is computed from.
    pub monotonic: Duration,
}
