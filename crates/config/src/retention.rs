//! `[retention]`: how long each grain is kept.

use crate::section::section;

section! {
    /// How long each grain is kept. Raw samples must not outlive the hourly ones, nor these the
    /// daily ones. Where several hosts share a database the longest of their values counts, and the
    /// greatest size of those that set one. Heartbeats are kept for a day. Rows of a day expire together, by dropping its
    /// partition.
    pub struct Retention = "retention" {
        /// Days that raw samples are kept.
        raw_days: u32 = 14 => env("RAW_RETENTION_DAYS") range(1, 36500) live();
        /// Days that hourly roll-ups are kept, and log patterns after they were last seen.
        hourly_days: u32 = 90 => env("HOURLY_RETENTION_DAYS") range(1, 36500) live();
        /// Days that daily roll-ups and starts of the collector are kept.
        daily_days: u32 = 365 => env("DAILY_RETENTION_DAYS") range(1, 36500) live();
        /// Days that lines of logs are kept; their hourly counts stay for `hourly_days`.
        log_days: u32 = 7 => env("LOG_RETENTION_DAYS") range(1, 36500) live();
        /// Days that security events, refused rows and resolved findings are kept.
        event_days: u32 = 30 => env("EVENT_RETENTION_DAYS") range(1, 36500) live();
        /// GiB that everything stored may take; 0: as much as there is. Beyond that the oldest days of raw samples and
        /// lines go before their time, then the oldest hourly roll-ups; never today, yesterday, findings or security
        /// events. A finding is opened before that happens.
        max_gb: u32 = 0 => env("RETENTION_MAX_GB") range(0, 1000000) live();
    }
}
