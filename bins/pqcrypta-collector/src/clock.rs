//! The only place that reads the wall clock. It may jump in either direction, so no duration is computed from two
//! readings.

use schema::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the current time in microseconds. Before 1970 it is negative.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now();
    let micros = match now.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
        }
    };
    Timestamp(micros)
}
