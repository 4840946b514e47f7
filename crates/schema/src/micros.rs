//! Spans of time in microseconds, the unit of [`Timestamp`](crate::Timestamp).

/// A second.
pub const SECOND: i64 = 1_000_000;
/// A minute.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;
/// A day of 24 hours.
pub const DAY: i64 = 24 * HOUR;
