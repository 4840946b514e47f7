//! Hints that a host has new samples, for event streams.

use std::sync::Arc;

use schema::Timestamp;
use tokio::sync::{Semaphore, broadcast};

/// Most concurrent streams. A browser has one for all its pages.
const STREAMS: usize = 32;
/// Hints that a slow stream may lag behind.
const BUFFERED: usize = 16;

/// New samples of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// The host.
    pub(crate) host_id: i32,
    /// Its newest sample.
    pub(crate) newest: Option<Timestamp>,
    /// The generation of its history.
    pub(crate) generation: String,
}

/// The listeners, and the limit of their number.
#[derive(Debug)]
pub(crate) struct Hints {
    pub(crate) sender: broadcast::Sender<Hint>,
    /// Permits of event streams.
    pub(crate) places: Arc<Semaphore>,
    /// One task at a time looks for new samples.
    pub(crate) polling: Semaphore,
}

impl Hints {
    /// Returns the number of open event streams.
    pub(crate) fn listeners(&self) -> usize {
        STREAMS - self.places.available_permits()
    }
}

impl Default for Hints {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BUFFERED),
            places: Arc::new(Semaphore::new(STREAMS)),
            polling: Semaphore::new(1),
        }
    }
}
