//! What this process uses, for the collector's own row.
//!
//! CPU time comes from the process's CPU clock, which counts nanoseconds: a collector that uses
//! ten milliseconds per tick is below the resolution of `/proc/self/stat`.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::fields::stored;
use crate::process::{FdCounter, Units, parse_stat};
use crate::read::Tree;
use crate::{Moment, Roots};

/// Reads what this process uses.
#[derive(Debug)]
pub struct SelfUsage {
    proc: Tree,
    units: Units,
    descriptors: FdCounter,
    before: Option<(Duration, Duration)>,
}

/// One reading; what could not be had is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SelfReading {
    /// CPU time since the last reading, percent of one core.
    pub cpu_pct: Option<f64>,
    /// Resident memory, bytes. /proc/self/stat.
    pub rss_bytes: Option<i64>,
    /// Virtual memory, bytes. /proc/self/stat.
    pub vsz_bytes: Option<i64>,
    /// Open descriptors. /proc/self/fd.
    pub fd_count: Option<i64>,
    /// Threads. /proc/self/stat.
    pub thread_count: Option<i64>,
    /// State letter as in proc(5). /proc/self/stat.
    pub state: Option<char>,
}

impl SelfUsage {
    /// Reads below these roots.
    #[must_use]
    pub fn new(roots: &Roots) -> Self {
        Self {
            proc: Tree::new(&roots.proc),
            units: Units::of_this_kernel(),
            descriptors: FdCounter::new(),
            before: None,
        }
    }

    /// What is used now.
    pub fn read(&mut self, at: &Moment) -> SelfReading {
        let mut reading = SelfReading {
            cpu_pct: self.cpu_pct(at, cpu_time()),
            ..SelfReading::default()
        };
        if let Some(stat) = self.proc.read("self/stat").ok().and_then(parse_stat) {
            let rss = stat.rss_pages.saturating_mul(self.units.page_bytes);
            reading.rss_bytes = Some(stored(rss));
            reading.vsz_bytes = Some(stored(stat.vsz_bytes));
            reading.thread_count = Some(i64::from(stat.threads));
            reading.state = Some(char::from(stat.state));
        }
        reading.fd_count = self.descriptors.count(&mut self.proc, "self/fd").ok();
        reading
    }

    fn cpu_pct(&mut self, at: &Moment, used: Duration) -> Option<f64> {
        let (used_before, when) = self.before.replace((used, at.monotonic))?;
        let elapsed = at.monotonic.checked_sub(when)?.as_secs_f64();
        let used = used.checked_sub(used_before)?.as_secs_f64();
        (elapsed > 0.0).then(|| used * 100.0 / elapsed)
    }
}

/// CPU time of all threads of this process since it started.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let mut usage = SelfUsage::new(&Roots::default());
        let mut at = Moment::default();
        let first = usage.read(&at);
        assert_eq!(first.cpu_pct, None);
        assert!(first.rss_bytes.unwrap() > 100_000);
        assert!(first.vsz_bytes >= first.rss_bytes);
        assert!(first.thread_count.unwrap() >= 1);
        assert!(first.fd_count.unwrap() >= 3);
        assert!(first.state.is_some());
        assert_eq!(usage.read(&at).cpu_pct, None, "no time has passed");
        at.monotonic = Duration::from_secs(10);
        assert!(usage.read(&at).cpu_pct.unwrap() >= 0.0);
    }

    #[test]
    fn share_of_a_core() {
        let mut usage = SelfUsage::new(&Roots::default());
        let mut at = Moment::default();
        assert_eq!(usage.cpu_pct(&at, Duration::from_millis(500)), None);
        at.monotonic = Duration::from_secs(10);
        let share = usage.cpu_pct(&at, Duration::from_millis(510)).unwrap();
        assert!((share - 0.1).abs() < 1e-9, "{share}");
    }

    #[test]
    fn nothing_there_is_nothing_known() {
        let empty = tempfile::tempdir().unwrap();
        let mut usage = SelfUsage::new(&Roots {
            proc: empty.path().to_owned(),
            sys: empty.path().to_owned(),
        });
        assert_eq!(usage.read(&Moment::default()), SelfReading::default());
    }
}
