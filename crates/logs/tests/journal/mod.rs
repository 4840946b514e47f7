//! Polling a journal until something came.

use std::time::Duration;

use logs::source::{Batch, Journal};
use schema::Timestamp;

/// When entry 0 was received, microseconds since the epoch.
pub(crate) const BASE: i64 = 1_780_000_000_000_000;
/// When journals are read.
const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

/// Polls until `enough`, with a clock that stands still; fails after many attempts.
pub(crate) fn poll_until(
    journal: &mut Journal,
    enough: impl Fn(&Batch, &Journal) -> bool,
) -> Batch {
    poll_at(journal, NOW, enough)
}

/// Returns the same at an instant.
pub(crate) fn poll_at(
    journal: &mut Journal,
    now: Timestamp,
    enough: impl Fn(&Batch, &Journal) -> bool,
) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..3000 {
        journal.poll(now, 8 << 20, Duration::from_millis(50), &mut batch);
        if enough(&batch, journal) {
            return batch;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("gave up with {batch:?} and {:?}", journal.state());
}

/// Returns whether so many entries came.
pub(crate) fn count(entries: usize) -> impl Fn(&Batch, &Journal) -> bool {
    move |batch, _| batch.entries.len() >= entries
}

/// Returns the message of each entry.
pub(crate) fn messages(batch: &Batch) -> Vec<&str> {
    batch
        .entries
        .iter()
        .map(|entry| entry.message.as_str())
        .collect()
}

/// Returns an instant so many seconds after [`poll_until`] reads.
pub(crate) fn after(secs: i64) -> Timestamp {
    Timestamp(NOW.0 + secs * 1_000_000)
}
