//! The spool as the agent uses it: ticks put rows in, the writer takes records out.
//!
//! The spool blocks on disks, so every use of it runs on a blocking thread, one at a time. A tick
//! is durable when [`Queue::append`] returns [`Durability::Disk`]. When the disk fails the spool
//! keeps nothing; such rows are then held in memory, bounded, and offered again with the next
//! tick: [`Durability::Memory`] makes no claim.

use crate::progress::Progress;
use crate::ranges::RangeSet;
use crate::spool::{Loss, Reason, Spool, SpoolError, State};
use crate::tuple;
use schema::{Class, Row, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Payloads held in memory while the disk refuses them: about ten minutes of ticks.
const HELD_MAX: usize = 128;

/// Where the rows of a tick are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the spool, past fdatasync.
    Disk,
    /// In memory only: the spool's disk does not take them.
    Memory,
}

/// What waits, for the collector's own metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Rows by table; rows of earlier runs under the name of their class.
    pub rows: BTreeMap<String, u64>,
    /// Records.
    pub records: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// State of the spool.
    pub state: State,
}

impl Depth {
    /// Rows in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

struct Held {
    class: Class,
    ts: Timestamp,
    rows: u32,
    payload: Vec<u8>,
}

struct Inner {
    spool: Spool,
    held: VecDeque<Held>,
    /// As the database last told; nothing delivered before it has.
    progress: Progress,
}

impl Held {
    fn into_loss(self) -> Loss {
        Loss {
            class: self.class,
            lsns: RangeSet::new(),
            from_ts: self.ts,
            to_ts: self.ts,
            records: 1,
            rows: Some(u64::from(self.rows)),
            reason: Reason::SpoolDown,
        }
    }
}

/// The spool, shared between ticks and writer. Cloning shares it.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Mutex<Inner>>,
    waiting: Arc<Mutex<BTreeMap<String, u64>>>,
    grown: Arc<Notify>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Wraps an opened spool.
    #[must_use]
    pub fn new(spool: Spool) -> Self {
        let mut waiting = BTreeMap::new();
        for class in Class::ALL {
            let (_, rows) = spool.stored(class);
            if rows > 0 {
                waiting.insert(class.as_str().to_owned(), rows);
            }
        }
        Self {
            inner: Arc::new(Mutex::new(Inner {
                spool,
                held: VecDeque::new(),
                progress: Progress::default(),
            })),
            waiting: Arc::new(Mutex::new(waiting)),
            grown: Arc::new(Notify::new()),
        }
    }

    /// Makes the rows of a tick durable and tells the writer.
    ///
    /// # Errors
    /// When the spool refuses for a reason that is not the disk's state.
    pub async fn append(&self, ts: Timestamp, rows: Vec<Row>) -> Result<Durability, SpoolError> {
        let mut by_class: BTreeMap<Class, Vec<Row>> = BTreeMap::new();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                match waiting.get_mut(row.table.name) {
                    Some(count) => *count += 1,
                    None => {
                        waiting.insert(row.table.name.to_owned(), 1);
                    }
                }
                by_class.entry(row.table.class).or_default().push(row);
            }
        }
        let result = self
            .blocking(move |inner| {
                for (class, rows) in by_class {
                    for (payload, rows) in tuple::encode(&rows) {
                        inner.held.push_back(Held {
                            class,
                            ts,
                            rows,
                            payload,
                        });
                    }
                }
                inner.store_held()
            })
            .await;
        self.grown.notify_one();
        result
    }

    /// Runs a piece of work on the spool, on a blocking thread.
    pub async fn with_spool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Spool) -> T + Send + 'static,
    ) -> T {
        self.blocking(move |inner| work(&mut inner.spool)).await
    }

    /// For what asks no disk: done here and now, unless somebody works on the spool.
    async fn in_memory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> T + Send + 'static,
    ) -> T {
        if let Ok(mut inner) = self.inner.try_lock() {
            return work(&mut inner);
        }
        self.blocking(work).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> T + Send + 'static,
    ) -> T {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || {
            let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut inner)
        });
        match task.await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that is being shut down cancels a blocking task; nobody is left
                // to take the value.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits until rows were added.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// Takes stored rows off the count of what waits.
    pub(crate) fn settle(&self, rows: impl Iterator<Item = (String, u64)>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (table, mut count) in rows {
            let class = schema::table(&table).map(|table| table.class.as_str());
            for name in [Some(table.as_str()), class].into_iter().flatten() {
                if let Some(waits) = waiting.get_mut(name) {
                    let taken = count.min(*waits);
                    *waits -= taken;
                    count -= taken;
                }
            }
        }
        waiting.retain(|_, count| *count > 0);
    }

    /// Remembers what the database has.
    pub(crate) async fn remember(&self, progress: Progress) {
        let waits = self
            .in_memory(move |inner| {
                inner.progress = progress;
                inner.records()
            })
            .await;
        if waits == 0 {
            self.waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }

    /// What waits now.
    pub async fn depth(&self) -> Depth {
        let rows = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (bytes, records, state) = self
            .in_memory(|inner| {
                (
                    inner.spool.bytes_on_disk(),
                    inner.records(),
                    inner.spool.state(),
                )
            })
            .await;
        Depth {
            rows,
            records,
            bytes,
            state,
        }
    }
}

impl Inner {
    /// Records that the database does not have, in the spool and in memory.
    fn records(&self) -> u64 {
        let spooled: u64 = Class::ALL
            .into_iter()
            .map(|class| {
                self.spool
                    .present(class)
                    .difference(&self.progress.of(class).settled())
                    .len()
            })
            .sum();
        spooled + self.held.len() as u64
    }

    /// Moves what is held in memory into the spool, oldest first.
    fn store_held(&mut self) -> Result<Durability, SpoolError> {
        while let Some(next) = self.held.front() {
            match self
                .spool
                .append(next.class, next.ts, next.rows, &next.payload)
            {
                Ok(_) => {
                    self.held.pop_front();
                }
                Err(SpoolError::Down { .. } | SpoolError::Full { .. }) => {
                    while self.held.len() > HELD_MAX {
                        if let Some(lost) = self.held.pop_front() {
                            self.spool.note(lost.into_loss());
                        }
                    }
                    return Ok(Durability::Memory);
                }
                Err(error) => {
                    self.held.pop_front();
                    return Err(error);
                }
            }
        }
        Ok(Durability::Disk)
    }
}
