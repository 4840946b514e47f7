//! The queue on disk: a hit is acknowledged when it would survive the loss of power.
//!
//! It is the spool of the collector ([`store::spool`]), with a record for each group of hits: a thread takes all that
//! wait, appends them as one record, which is one `fdatasync`, and wakes those who wait. While a sync is under way the next
//! group gathers, so a hit waits for two of them at most and a slow disk makes groups larger, not
//! queues longer. Hits are records of the class [`CLASS`].
//!
//! * At most [`MOST_WAITING`] hits wait; further ones are refused ([`Busy`]).
//! * Where the budget has no room the spool would give up its oldest records. Those are acknowledged, so an append is
//!   refused before it comes to that.
//! * A disk that refuses is tried again with each group; meanwhile hits are refused.
//! * One process at a time: the spool's lock is held for as long as the queue is open.

use schema::{Class, Timestamp};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use store::ranges::RangeSet;
use store::spool::{Record, Spool, SpoolError, SpoolOptions};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use uuid::Uuid;

/// Class of hits in the spool. Class `event` is left to the spool's own notes of loss.
pub const CLASS: Class = Class::Core;
/// Most hits that wait for the disk: a few syncs' worth at the highest rate, 4 MiB.
pub const MOST_WAITING: usize = 4096;
/// Most bytes of a record; less than a segment even if it does not compress.
const MOST_BYTES: usize = 512 * 1024;
/// Bytes of a segment of the spool.
const SEGMENT: u64 = 1 << 20;

/// For how long a disk that refused is said to refuse. The next hit tries it again, and a proxy that asks whether the receiver is ready
/// sends none before it is.
const REFUSAL_LASTS: Duration = Duration::from_secs(10);

/// What the queue says of itself.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Bytes on disk, preallocated space included.
    pub bytes: u64,
    /// Most bytes.
    pub budget: u64,
    /// When the oldest hit that is not delivered arrived, microseconds.
    pub oldest: Option<i64>,
    /// Whether it takes hits: there is room, and the disk did not refuse lately.
    pub takes_hits: bool,
}

impl State {
    /// Returns for how long the oldest hit waits; nothing when none does.
    #[must_use]
    pub fn age_secs(&self, now: i64) -> Option<f64> {
        let waits = now.saturating_sub(self.oldest?).max(0);
        Some(waits as f64 / 1e6)
    }
}

/// The queue does not take a hit now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue takes no more")]
pub struct Busy;

/// A hit that waits for the disk.
#[derive(Debug)]
struct Waiting {
    at: i64,
    json: Vec<u8>,
    rows: u32,
    done: oneshot::Sender<bool>,
}

/// The queue, shared between requests and delivery. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Queue {
    sender: mpsc::Sender<Waiting>,
    spool: Arc<Mutex<Spool>>,
    grown: Arc<Notify>,
    /// Rows appended since they were last waited for.
    rows: Arc<AtomicU32>,
    /// Rows of hits that were lost, as far as reported.
    lost: Arc<AtomicU64>,
    /// Number of the last record that the database has.
    delivered: Arc<AtomicU64>,
    /// When the disk last refused.
    refused: Arc<RwLock<Option<Instant>>>,
    writer: Uuid,
}

impl Queue {
    /// Opens the queue in a folder.
    ///
    /// # Errors
    /// When the folder cannot be used, or another process has it.
    pub fn open(folder: &Path, budget: u64) -> Result<Self, SpoolError> {
        let spool = Spool::open(folder, SpoolOptions::with_budget(budget))?;
        let writer = spool.writer();
        let spool = Arc::new(Mutex::new(spool));
        let grown = Arc::new(Notify::new());
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let rows = Arc::new(AtomicU32::new(0));
        let (for_thread, notify, count) =
            (Arc::clone(&spool), Arc::clone(&grown), Arc::clone(&rows));
        let refused = Arc::new(RwLock::default());
        let for_refusals = Arc::clone(&refused);
        let started = std::thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || append_groups(receiver, &for_thread, &notify, &count, &for_refusals));
        started.map_err(|source| SpoolError::Io {
            action: "start a thread for",
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            sender,
            spool,
            grown,
            rows,
            lost: Arc::default(),
            delivered: Arc::default(),
            refused,
            writer,
        })
    }

    /// Returns the identity under which the database keeps how far the queue is delivered.
    #[must_use]
    pub const fn writer(&self) -> Uuid {
        self.writer
    }

    /// Stores a hit, given as JSON, with its instant and the number of its events. It is durable when this returns.
    ///
    /// # Errors
    /// [`Busy`]: it is not stored.
    pub async fn append(&self, at: i64, json: Vec<u8>, rows: u32) -> Result<(), Busy> {
        let (done, stored) = oneshot::channel();
        let waiting = Waiting {
            at,
            json,
            rows,
            done,
        };
        self.sender.try_send(waiting).map_err(|_| Busy)?;
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Busy),
        }
    }

    /// Notes the number of the last record that the database has.
    pub(crate) fn note_delivered(&self, delivered: u64) {
        self.delivered.store(delivered, Ordering::Relaxed);
    }

    /// Returns what it says of itself.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub async fn state(&self) -> Result<State, SpoolError> {
        let delivered = self.delivered.load(Ordering::Relaxed);
        let refused = *self.refused.read().unwrap_or_else(PoisonError::into_inner);
        let is_refused = refused.is_some_and(|at| at.elapsed() < REFUSAL_LASTS);
        self.with_spool(move |spool| {
            let oldest = spool.read(CLASS, delivered + 1, 1, 1)?;
            Ok(State {
                bytes: spool.bytes_on_disk(),
                budget: spool.budget(),
                oldest: oldest.first().map(|record| record.ts.0),
                takes_hits: has_room(spool) && !is_refused,
            })
        })
        .await
    }

    /// Waits until so many rows were appended since the last call.
    pub async fn many(&self, rows: u32) {
        while self.rows.load(Ordering::Relaxed) < rows {
            self.grown.notified().await;
        }
        self.rows.store(0, Ordering::Relaxed);
    }

    /// Runs a piece of work on the spool, on a blocking thread.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn with_spool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Spool) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let mut spool = Arc::clone(&self.spool).lock_owned().await;
        let task = tokio::task::spawn_blocking(move || work(&mut spool));
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends; nobody waits for the value.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Gives up records up to a number, which are delivered, and returns the next ones: so many bytes, at least one
    /// record.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub async fn next(
        &self,
        delivered: u64,
        max_bytes: usize,
        max_records: usize,
    ) -> Result<Vec<Record>, SpoolError> {
        self.with_spool(move |spool| {
            let done = RangeSet::from(0..delivered + 1);
            if let Err(error) = spool.release(CLASS, &done) {
                // They are removed with the next call; until then they count against the budget.
                tracing::warn!(error = %pg::causes(&error), "delivered records of the queue are not removed");
            }
            spool.read(CLASS, delivered + 1, max_bytes, max_records)
        })
        .await
    }

    /// Returns how many rows of hits were found to be lost since the last call: a damaged file, or a folder that was
    /// removed.
    ///
    /// # Errors
    /// When the spool cannot be used.
    pub async fn take_losses(&self) -> Result<u64, SpoolError> {
        let lost = self
            .with_spool(|spool| {
                // The spool's own notes say the same; they are not delivered.
                let notes = RangeSet::from(0..spool.next_lsn(Class::Event));
                spool.release(Class::Event, &notes)?;
                let lost = spool.losses(CLASS);
                Ok(lost.rows.max(lost.records))
            })
            .await?;
        let known = self.lost.swap(lost, Ordering::Relaxed);
        Ok(lost.saturating_sub(known))
    }

    /// Prepares the queue for what the database has, once after each connection.
    ///
    /// # Errors
    /// When records have to be stored anew and the disk refuses.
    pub async fn resume(&self, delivered: u64) -> Result<(), SpoolError> {
        self.with_spool(move |spool| {
            spool
                .resume(CLASS, &RangeSet::from(1..delivered + 1))
                .map(drop)
        })
        .await
    }
}

/// Returns whether a record fits without giving up the oldest.
fn has_room(spool: &Spool) -> bool {
    spool.bytes_on_disk() + 2 * SEGMENT <= spool.budget()
}

/// Appends groups until no sender is left.
fn append_groups(
    mut receiver: mpsc::Receiver<Waiting>,
    spool: &Mutex<Spool>,
    grown: &Notify,
    appended: &AtomicU32,
    refused: &RwLock<Option<Instant>>,
) {
    let mut is_failing = false;
    while let Some(first) = receiver.blocking_recv() {
        let at = Timestamp(first.at);
        let mut payload = Vec::with_capacity(first.json.len() + 2);
        let mut rows = 0;
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(hit) = next {
            payload.push(if payload.is_empty() { b'[' } else { b',' });
            payload.extend_from_slice(&hit.json);
            rows += hit.rows;
            waiting.push(hit.done);
            next = if payload.len() < MOST_BYTES {
                receiver.try_recv().ok()
            } else {
                None
            };
        }
        payload.push(b']');
        let mut spool = spool.blocking_lock();
        let has_room = has_room(&spool);
        let stored = if has_room {
            spool.append(CLASS, at, rows, &payload).map(drop)
        } else {
            Err(SpoolError::Full {
                class: CLASS,
                budget: spool.budget(),
            })
        };
        drop(spool);
        if let Err(error) = &stored
            && !is_failing
        {
            tracing::error!(error = %pg::causes(error), "the queue takes no hits; they are refused with 503");
        } else if stored.is_ok() && is_failing {
            tracing::info!("the queue takes hits again");
        }
        is_failing = stored.is_err();
        if has_room && is_failing {
            *refused.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        for done in waiting {
            if done.send(stored.is_ok()).is_err() {
                tracing::debug!(
                    "a sender did not wait for the answer; its hit is stored all the same"
                );
            }
        }
        appended.fetch_add(rows, Ordering::Relaxed);
        grown.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hits_are_read_in_order_and_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::open(folder.path(), 8 << 20).unwrap();
        let appends = (0..100).map(|n| queue.append(n, format!("{{\"n\":{n}}}").into_bytes(), 1));
        for appended in futures_util::future::join_all(appends).await {
            assert_eq!(appended, Ok(()));
        }
        let records = queue.next(0, usize::MAX, usize::MAX).await.unwrap();
        assert_eq!(records.iter().map(|record| record.rows).sum::<u32>(), 100);
        let text: Vec<String> = records
            .iter()
            .map(|record| String::from_utf8(record.payload.clone()).unwrap())
            .collect();
        let all: Vec<serde_json::Value> = text
            .iter()
            .flat_map(|text| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap())
            .collect();
        assert!(all.iter().enumerate().all(|(n, value)| value["n"] == n));
        let last = records.last().unwrap().lsn;
        assert!(
            queue
                .next(last, usize::MAX, usize::MAX)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(matches!(
            Queue::open(folder.path(), 8 << 20),
            Err(SpoolError::Busy { .. })
        ));
    }

    #[tokio::test]
    async fn a_full_budget_refuses_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::open(folder.path(), 8 << 20).unwrap();
        // Text that does not compress.
        let mut seed = 1_u64;
        let mut noise = move || {
            (0..200_000)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'!' + (seed >> 33) as u8 % 90)
                })
                .filter(|character| !matches!(character, '"' | '\\'))
                .collect::<String>()
        };
        let mut accepted = 0;
        while accepted < 100
            && queue
                .append(0, format!("\"{}\"", noise()).into_bytes(), 1)
                .await
                .is_ok()
        {
            accepted += 1;
        }
        assert!((5..40).contains(&accepted), "{accepted}");
        let full = queue.state().await.unwrap();
        assert!(!full.takes_hits && full.bytes <= full.budget, "{full:?}");
        assert_eq!(full.age_secs(2_500_000), Some(2.5));
        let records = queue.next(0, usize::MAX, usize::MAX).await.unwrap();
        assert_eq!(records.len(), accepted);
        let last = records.last().unwrap().lsn;
        queue.next(last, 1, 1).await.unwrap();
        queue.note_delivered(last);
        let empty = queue.state().await.unwrap();
        assert!(empty.takes_hits && empty.age_secs(9).is_none(), "{empty:?}");
        assert_eq!(queue.append(0, b"1".to_vec(), 1).await, Ok(()));
    }
}
