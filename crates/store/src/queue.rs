//! The spool as the agent uses it: ticks put rows in, the writer takes records out.
//!
//! The spool blocks on disks, so every use of it runs on a blocking thread, one at a time. A tick
//! is durable when [`Queue::append`] returns [`Durability::Disk`].
//!
//! When the disk refuses, the rows are held in memory instead: [`Durability::Memory`] makes no claim. They
//! are held by table, bounded by `HELD_BYTES`, and leave in one of three ways, whichever comes first:
//!
//! * *into the spool*, once its disk takes records again: tried with every tick;
//! * *to the database*, straight from memory: the writer leases the rows that it sends, and leased rows go
//!   nowhere else until the outcome of the transaction is known, so that no row is stored twice;
//! * *given up*, the oldest of the least valuable class first, as a loss that the spool notes. At the
//!   end of the process ([`Queue::close`]) that is the fate of what neither of the two took.

use crate::failpoint::failpoint;
use crate::progress::Progress;
use crate::ranges::RangeSet;
use crate::spool::{Loss, Reason, Spool, SpoolError, State};
use crate::tuple::{self, Group};
use crate::writer::batch::todo;
use bytes::Bytes;
use schema::{Class, Row, TableDef, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Bytes of rows held in memory while the disk refuses them: a host of 100 processes makes some 20 kB a
/// tick, so this is an hour; one of 3,000 processes fills it in three minutes. The packaged unit allows
/// 64 MiB for everything.
const HELD_BYTES: usize = 8 * 1024 * 1024;

/// Storage of the rows of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the spool, past fdatasync.
    Disk,
    /// In memory only: the spool's disk does not take them.
    Memory,
}

/// Rows left in memory at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// Records that are lost.
    pub records: u64,
    /// Whether the spool holds a note of them, which becomes a row of `data_gaps`.
    pub is_noted: bool,
}

/// Waiting rows, for the collector's own metrics.
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
    /// Returns the number of rows of all tables.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Rows of one table that are held in memory.
struct HeldGroup {
    id: u64,
    /// Groups that would be one record of the spool have one number.
    record: u64,
    class: Class,
    ts: Timestamp,
    table: &'static TableDef,
    group: Group,
    /// On its way to the database: what becomes of it is not known yet.
    is_leased: bool,
}

/// Rows from memory, for the writer.
#[derive(Debug)]
pub(crate) struct LeasedGroup {
    pub(crate) id: u64,
    pub(crate) record: u64,
    pub(crate) class: Class,
    pub(crate) table: &'static TableDef,
    pub(crate) ts: Timestamp,
    pub(crate) group: Group,
}

struct Inner {
    spool: Spool,
    held: VecDeque<HeldGroup>,
    /// The next number of [`HeldGroup::id`] and [`HeldGroup::record`].
    next: u64,
    /// Progress that the database last had; empty before anything is delivered.
    progress: Progress,
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
                next: 1,
                progress: Progress::default(),
            })),
            waiting: Arc::new(Mutex::new(waiting)),
            grown: Arc::new(Notify::new()),
        }
    }

    /// Makes the rows of a tick durable and notifies the writer.
    ///
    /// # Errors
    /// When the spool refuses for a reason that is not the disk's state.
    pub async fn append(&self, ts: Timestamp, rows: Vec<Row>) -> Result<Durability, SpoolError> {
        self.append_all(vec![(ts, rows)]).await
    }

    /// Makes the rows of several ticks durable, each tick in its own records, and notifies the writer once.
    ///
    /// # Errors
    /// When the spool refuses for a reason that is not the disk's state.
    pub async fn append_all(
        &self,
        ticks: Vec<(Timestamp, Vec<Row>)>,
    ) -> Result<Durability, SpoolError> {
        failpoint!("queue.append");
        let mut records: Vec<(Timestamp, Class, Vec<Row>)> = Vec::new();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for (ts, rows) in ticks {
                let mut by_class: BTreeMap<Class, Vec<Row>> = BTreeMap::new();
                for row in rows {
                    match waiting.get_mut(row.table.name) {
                        Some(count) => *count += 1,
                        None => {
                            waiting.insert(row.table.name.to_owned(), 1);
                        }
                    }
                    by_class.entry(row.table.class).or_default().push(row);
                }
                records.extend(by_class.into_iter().map(|(class, rows)| (ts, class, rows)));
            }
        }
        let result = self
            .blocking(move |inner| {
                let mut result = Ok(inner.store_held());
                for (ts, class, rows) in records {
                    for (payload, rows) in tuple::encode(&rows) {
                        match inner.spool.append(class, ts, rows, &payload) {
                            Ok(_) => {}
                            Err(SpoolError::Down { .. } | SpoolError::Full { .. }) => {
                                inner.hold(class, ts, payload);
                                result = result.map(|_| Durability::Memory);
                            }
                            Err(error) => result = Err(error),
                        }
                    }
                }
                inner.bound_held(HELD_BYTES);
                result
            })
            .await;
        failpoint!("queue.appended");
        self.grown.notify_one();
        result
    }

    /// Leases the rows in memory of the tables that `wants` selects.
    pub(crate) async fn lease(
        &self,
        wants: impl Fn(&'static TableDef) -> bool,
    ) -> Vec<LeasedGroup> {
        let declared = schema::TABLES.iter().chain(schema::VIEWS);
        let tables: BTreeSet<&'static str> = declared
            .filter(|table| wants(table))
            .map(|table| table.name)
            .collect();
        self.in_memory(move |inner| {
            let wanted = inner
                .held
                .iter_mut()
                .filter(|held| tables.contains(held.table.name));
            wanted
                .map(|held| {
                    held.is_leased = true;
                    LeasedGroup {
                        id: held.id,
                        record: held.record,
                        class: held.class,
                        table: held.table,
                        ts: held.ts,
                        group: held.group.clone(),
                    }
                })
                .collect()
        })
        .await
    }

    /// Forgets leased rows that are stored, and takes the others back.
    pub(crate) async fn settle_held(&self, stored: &[u64]) {
        let stored: BTreeSet<u64> = stored.iter().copied().collect();
        self.in_memory(move |inner| {
            inner.held.retain(|held| !stored.contains(&held.id));
            for held in &mut inner.held {
                held.is_leased = false;
            }
        })
        .await;
    }

    /// Closes the queue: rows in memory go to the spool, and those that it does not take are noted as lost. To be
    /// called when the writer has ended. Rows that it has leased may be stored or not: they count as
    /// lost, since the spool would deliver them a second time.
    pub async fn close(&self) -> Unsaved {
        self.blocking(|inner| {
            inner.store_held();
            for held in &mut inner.held {
                held.is_leased = false;
            }
            let records = inner.held_records();
            inner.bound_held(0);
            let is_noted = inner.spool.flush_notes();
            Unsaved { records, is_noted }
        })
        .await
    }

    /// Runs a piece of work on the spool, on a blocking thread.
    pub async fn with_spool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Spool) -> T + Send + 'static,
    ) -> T {
        self.blocking(move |inner| work(&mut inner.spool)).await
    }

    /// Runs a piece of work that needs no disk: in place, unless the spool is in use.
    async fn in_memory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> T + Send + 'static,
    ) -> T {
        if let Ok(mut inner) = self.inner.try_lock() {
            return work(&mut inner);
        }
        self.blocking(work).await
    }

    /// Runs a piece of work on a blocking thread.
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
                // Only a runtime that is being shut down cancels a blocking task; no caller is left
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

    /// Returns whether the database has everything and the disk takes records: then there is nothing to plan.
    pub(crate) async fn is_idle(&self) -> bool {
        self.in_memory(|inner| {
            let is_delivered = |class| todo(&inner.spool, &inner.progress, class).is_empty();
            inner.held.is_empty()
                && inner.spool.state() == State::Ok
                && Class::ALL.into_iter().all(is_delivered)
        })
        .await
    }

    /// Remembers the progress in the database.
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

    /// Returns the waiting rows.
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
        spooled + self.held_records()
    }

    fn held_records(&self) -> u64 {
        let records: BTreeSet<u64> = self.held.iter().map(|held| held.record).collect();
        records.len() as u64
    }

    /// Holds a payload that the spool refused.
    fn hold(&mut self, class: Class, ts: Timestamp, payload: Vec<u8>) {
        let record = self.next;
        // It was encoded here a moment ago.
        for group in tuple::decode(&Bytes::from(payload)).unwrap_or_default() {
            let Some(table) = schema::table(&group.table) else {
                continue;
            };
            self.held.push_back(HeldGroup {
                id: self.next,
                record,
                class,
                ts,
                table,
                group,
                is_leased: false,
            });
            self.next += 1;
        }
    }

    /// Moves rows in memory into the spool, oldest first, apart from leased ones.
    fn store_held(&mut self) -> Durability {
        loop {
            let Some(first) = self.held.iter().find(|held| !held.is_leased) else {
                return Durability::Disk;
            };
            let (record, class, ts) = (first.record, first.class, first.ts);
            let is_part = |held: &&HeldGroup| held.record == record && !held.is_leased;
            let parts: Vec<&Group> = self.held.iter().filter(is_part).map(|h| &h.group).collect();
            let rows = parts.iter().map(|group| group.rows).sum();
            let payload = tuple::encode_groups(parts.into_iter());
            if let Err(error) = self.spool.append(class, ts, rows, &payload) {
                if !matches!(error, SpoolError::Down { .. } | SpoolError::Full { .. }) {
                    tracing::error!(%error, "the spool refuses rows that were held in memory");
                }
                return Durability::Memory;
            }
            self.held
                .retain(|held| held.record != record || held.is_leased);
        }
    }

    /// Gives up rows in memory beyond so many bytes: the oldest of the lowest class first, as losses that
    /// the spool notes.
    fn bound_held(&mut self, most: usize) {
        let mut bytes: usize = self.held.iter().map(|held| held.group.tuples.len()).sum();
        let mut losses: BTreeMap<Class, (Loss, BTreeSet<u64>)> = BTreeMap::new();
        for class in Class::ALL {
            while bytes > most || (most == 0 && !self.held.is_empty()) {
                let is_next = |held: &HeldGroup| held.class == class && !held.is_leased;
                let Some(at) = self.held.iter().position(is_next) else {
                    break;
                };
                let Some(held) = self.held.remove(at) else {
                    break;
                };
                bytes -= held.group.tuples.len();
                let (loss, records) = losses.entry(class).or_insert_with(|| {
                    let loss = Loss {
                        class,
                        lsns: RangeSet::new(),
                        from_ts: held.ts,
                        to_ts: held.ts,
                        records: 0,
                        rows: Some(0),
                        reason: Reason::SpoolDown,
                    };
                    (loss, BTreeSet::new())
                });
                records.insert(held.record);
                loss.from_ts = loss.from_ts.min(held.ts);
                loss.to_ts = loss.to_ts.max(held.ts);
                loss.rows = loss.rows.map(|rows| rows + u64::from(held.group.rows));
            }
        }
        for (mut loss, records) in losses.into_values() {
            loss.records = records.len() as u64;
            // Losses that are not durable yet are noted with the next append.
            self.spool.note(loss);
        }
    }
}
