//! `[intervals]`: how often things are read.

use crate::section::section;

section! {
    /// How often things are read, aligned to the wall clock.
    pub struct Intervals = "intervals" {
        /// Seconds between two readings of host and processes.
        system_secs: u32 = 10 => env("SYSTEM_INTERVAL_SECS") range(1, 3600) live();
        /// Seconds between two readings of what PostgreSQL does right now and of every scraped
        /// target.
        app_secs: u32 = 10 => env("APP_INTERVAL_SECS") range(1, 3600) live();
        /// Seconds between two readings of PostgreSQL's tables, indexes, statements and sizes.
        pg_extended_secs: u32 = 300 => env("PG_EXTENDED_INTERVAL_SECS") range(10, 300) live();
        /// Seconds between two evaluation runs, which open and resolve findings.
        intel_secs: u32 = 300 => env("INTEL_INTERVAL_SECS") range(10, 3600) live();
        /// Seconds between two signs of life in `collector.heartbeat`.
        heartbeat_secs: u32 = 5 => env("HEARTBEAT_INTERVAL_SECS") range(1, 3600) live();
    }
}
