//! `[retention]`: how long each grain is kept.

use crate::section::section;

section! {
    /// How long each grain is kept. Raw samples must not outlive the hourly ones, nor these the
    /// daily ones. Where several hosts share a database the longest of their values counts.
    pub struct Retention = "retention" {
        /// Days that raw samples are kept.
        raw_days: u32 = 14 => env("RAW_RETENTION_DAYS") range(1, 36500) live();
        /// Days that hourly roll-ups are kept.
        hourly_days: u32 = 90 => env("HOURLY_RETENTION_DAYS") range(1, 36500) live();
        /// Days that daily roll-ups and starts of the collector are kept.
        daily_days: u32 = 365 => env("DAILY_RETENTION_DAYS") range(1, 36500) live();
        /// Days that lines of logs are kept; their hourly counts stay for `hourly_days`.
        log_days: u32 = 7 => env("LOG_RETENTION_DAYS") range(1, 36500) live();
        /// Days that security events and refused rows are kept, and log patterns after they were last seen.
        event_days: u32 = 30 => env("EVENT_RETENTION_DAYS") range(1, 36500) live();
    }
}
