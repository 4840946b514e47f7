//! The only reader of the wall clock; everything else takes the time as a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use schema::Timestamp;

/// A source of the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock that a test sets.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Returns a clock that stays at `at` until it is set.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self::Set(Arc::new(AtomicI64::new(at.as_micros())))
    }

    /// Sets a clock made by [`Clock::at`]; has no effect on the system clock.
    pub fn set(&self, at: Timestamp) {
        if let Self::Set(micros) = self {
            micros.store(at.as_micros(), Ordering::Relaxed);
        }
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Set(micros) => Timestamp(micros.load(Ordering::Relaxed)),
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                // Before 1970 reads as 1970.
                let micros = since.unwrap_or_default().as_micros();
                Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
            }
        }
    }
}
