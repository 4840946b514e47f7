//! What happens to a host.

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The collector is not running; it is started at the end.
    CollectorAway,
    /// PostgreSQL is restarted: it does not answer, its statistics go on and its cache is cold afterwards.
    ServerRestart,
    /// The host is restarted: all counters begin anew.
    Reboot,
    /// A backup reads everything: CPU, I/O, cold blocks.
    Backup,
    /// A single bad sample: CPU, latency, a lock that is waited for, a zombie, a request that fails.
    Spike,
    /// A new version of the API that is a quarter slower and larger: a level shift that is no fault.
    Deploy,

    /// The host is suspended, and with it the collector, which goes on afterwards.
    Suspend,
    /// Something takes every core.
    CpuBusy,
    /// The data disk fills.
    DiskFills,
    /// A process grows until memory is short.
    Leak,
    /// The kernel kills a process, at the beginning.
    OomKill,
    /// The clock is no longer synchronised.
    ClockLost,
    /// A session idle in its transaction holds a lock that three others wait for.
    Lock,
    /// A session is idle in its transaction and blocks nobody.
    IdleTransaction,
    /// PostgreSQL does not answer, and its processes are gone.
    ServerDown,
    /// A tenth of the API's answers are errors.
    ApiErrors,
    /// The API takes ten times as long.
    ApiSlow,
    /// The API is gone, and the proxy in front of it answers with errors.
    ApiDown,
    /// The disk answers slowly: all that waits for it is slow, too.
    SlowDisk,
    /// A process of the API is a zombie.
    Zombie,
    /// A log cannot be read.
    LogDenied,
}

impl Cause {
    /// Every fault: what an operator wants to know of.
    pub const FAULTS: [Self; 15] = [
        Self::Suspend,
        Self::CpuBusy,
        Self::DiskFills,
        Self::Leak,
        Self::OomKill,
        Self::ClockLost,
        Self::Lock,
        Self::IdleTransaction,
        Self::ServerDown,
        Self::ApiErrors,
        Self::ApiSlow,
        Self::ApiDown,
        Self::SlowDisk,
        Self::Zombie,
        Self::LogDenied,
    ];

    /// Returns whether nothing is sampled meanwhile.
    pub(super) const fn is_gap(self) -> bool {
        matches!(self, Self::CollectorAway | Self::Reboot | Self::Suspend)
    }
}

/// Something that happens for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub cause: Cause,
    /// From so many seconds after the beginning of the month …
    pub from: i64,
    /// … for so many seconds.
    pub lasts: i64,
}

impl Event {
    /// Returns when it ends, seconds after the beginning of the month.
    #[must_use]
    pub const fn until(&self) -> i64 {
        self.from + self.lasts
    }

    /// Returns whether it goes on at an instant, seconds after the beginning of the month.
    pub(super) const fn is_at(&self, secs: i64) -> bool {
        self.from <= secs && secs < self.until()
    }
}
