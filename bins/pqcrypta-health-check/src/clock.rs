//! The only place that reads the clock.

use jiff::Zoned;
use schema::Timestamp;

/// Returns the time.
pub(crate) fn now() -> Timestamp {
    Timestamp(zoned().timestamp().as_microsecond())
}

/// Returns the time of the machine's zone as lines of the log have it.
pub(crate) fn local_text() -> String {
    zoned().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn zoned() -> Zoned {
    Zoned::now()
}
