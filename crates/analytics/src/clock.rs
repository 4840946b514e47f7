//! The only reader of the clocks; everything else takes the time as a value.

use schema::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that a test sets.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Returns a clock that stands still.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self::Set(Arc::new(AtomicI64::new(at.0)))
    }

    /// Returns the current instant; what is before 1970 reads as 1970.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Set(micros) => Timestamp(micros.load(Ordering::Relaxed)),
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
        }
    }
}
