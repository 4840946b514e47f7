//! Every tick is durable here before the database is tried.
//!
//! # Words
//!
//! A *record* is the rows of one class that one tick took. Each [`Class`] is a *stream* of its own:
//! a folder of *segments*, files of a fixed size that are filled one after another. The *lsn* is
//! the number of a record in its stream: each is one more than the one before, and none is ever
//! used again. The database alone has the progress of delivery; the spool knows its files.
//!
//! # Format, version 1
//!
//! All integers are little-endian. CRC is CRC-32C, rotated right by 15 bits, plus `0xa282ead8`.
//!
//! ```text
//! queue_dir/spool.id                   "pqcrypta-spool 1 <uuid of the writer> <crc32c, hex>\n"
//! queue_dir/lock                       locked by the process that writes; holds its pid
//! queue_dir/ended                      how its last run ended, written by the writer
//! queue_dir/{bulk,core,event}/N.seg    a segment; N is the lsn of its first record, 16 digits
//! queue_dir/{bulk,core,event}/N.tmp    a segment in the making
//! queue_dir/quarantine/CLASS-N.seg     a damaged segment as it was found
//!
//! segment  0  8  "PQCSPOOL"
//!          8  4  version
//!         12  1  class: 1 bulk, 2 core, 3 event; 3 bytes zero
//!         16 16  writer
//!         32  8  first: lsn of the first record
//!         40  8  continues: earlier segments count up to this lsn, what they hold from it on is
//!                void, and the numbers from it to `first` were never acknowledged
//!         48  4  size of the file; 4 bytes zero
//!         56 24  next lsn of bulk, core and event when this segment was made
//!         80 12  zero
//!         92  4  CRC of the 92 bytes before (so in every version to come)
//!         96     records, each at a multiple of 8, zero up to the next; then zero to the end
//!
//! record   0  4  length of header and payload, hence never zero
//!          4  4  CRC of the writer's uuid and the class (a CRC-32C to go on from), then bytes 0–4
//!                and 8–length
//!          8  8  lsn
//!         16  8  instant, µs since 1970-01-01T00:00:00Z
//!         24  4  rows
//!         28  1  kind: 1 rows, 2 loss
//!         29  1  flags: 1 = the payload is its length (u32) and an LZ4 block; 2 bytes zero
//!         32     payload
//!
//! loss     0  1  class; 1 reason: 1 overflow, 2 damage, 3 missing, 4 superseded, 5 spool down
//!          4  4  ranges
//!          8  8  from, 16 8 to: instants
//!         24  8  records, at least; 32 8 rows, all ones when unknown
//!         40     ranges × (8 from, 8 to excluded)
//! ```
//!
//! # Invariants
//!
//! 1. [`append`](Spool::append) returns after one write and one `fdatasync`. A new segment is
//!    written under a temporary name, made durable, and then named: a `.seg` file was whole once.
//!    Opening writes the newest record again, because what a crashed process left in the page cache
//!    may never have reached the disk.
//! 2. A file that refused a write or a sync is never appended to again. The record goes to a new
//!    segment, whose `continues` voids anything that the old one may show after a crash.
//!    Such a segment is removed, durably, before the next one.
//! 3. A segment is given up only after the event stream durably reports it ([`Loss`]).
//! 4. Segments, damaged copies and leftovers together never exceed the budget. One segment of it is
//!    kept for the note of invariant 3; hence each class can always hold one segment.
//! 5. Memory does not grow with the spool, but for about 150 bytes a segment.
//!
//! # When something fails
//!
//! * *Torn or zero tail* of the newest segment: cut off; a new segment begins. Bytes there that are
//!   more than noise are one loss of at least one record.
//! * *Damage elsewhere*: the file is linked into `quarantine/`, reading continues at the next
//!   record whose checksum fits, and the numbers between are one loss. The file is not changed.
//! * *A file is gone*: the numbers it held are one loss, unless it was the newest of its stream and
//!   no other stream has a higher one; then [`resume`](Spool::resume) finds out from the database.
//! * *The folder is removed* while it is in use: it is created again, and its records are a loss (`restore`).
//! * *A new segment cannot be made* ahead of time: the one that is being filled goes on to its end.
//! * *Disk full*, *quota*, *I/O error*: [`SpoolError::Down`]; the caller keeps the record in memory
//!   and the next append tries again ([`State::Degraded`]).
//! * *Budget reached*: the oldest segment of the lowest class goes first, never the newest of another
//!   class, and of a higher class only where the record's own would have none ([`State::Full`]).
//! * Opening fails only when the folder cannot be used at all, another process has it, or a newer
//!   version wrote it; never for its content.
//!
//! A loss names lsns, not facts: after a crash between note and unlink, or when the note was
//! delivered and the hole is still there at the next start, the same numbers are reported again.
//! Their delivery subtracts those that the database has stored or noted already.

mod append;
mod disk;
mod error;
mod export;
mod folder;
mod format;
mod index;
mod loss;
mod overflow;
mod quarantine;
mod read;
mod recover;
mod release;
mod restore;
mod scan;
mod stream;

use std::path::{Path, PathBuf};

use schema::{Class, Timestamp};
use uuid::Uuid;

pub use disk::{DirEntry, Disk, DiskFile, OpenMode, RealDisk};
pub use error::SpoolError;
pub use export::Reader;
pub use format::FORMAT_VERSION;
pub use loss::{Loss, Reason};

use crate::ranges::RangeSet;
use format::{MAX_SEGMENT, slot};
use stream::{Leftover, Stream};

type Result<T> = std::result::Result<T, SpoolError>;

/// Kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of a tick, in the caller's encoding.
    Rows,
    /// A [`Loss`].
    Loss,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Rows => 1,
            Self::Loss => 2,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Rows),
            2 => Some(Self::Loss),
            _ => None,
        }
    }
}

/// A record as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in its stream.
    pub lsn: u64,
    /// When the rows were taken.
    pub ts: Timestamp,
    /// Number of rows.
    pub rows: u32,
    /// Its kind.
    pub kind: Kind,
    /// The payload as it was given to [`Spool::append`].
    pub payload: Vec<u8>,
}

/// Sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The most bytes on disk.
    pub budget: u64,
    /// Bytes of a segment: 1 MiB, less in tests.
    pub segment: u32,
}

impl SpoolOptions {
    /// Segments of 1 MiB within a budget.
    #[must_use]
    pub const fn with_budget(budget: u64) -> Self {
        Self {
            budget,
            segment: MAX_SEGMENT as u32,
        }
    }
}

/// State of the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Appends are durable.
    Ok,
    /// Appends are durable at the cost of the oldest records.
    Full,
    /// Appends fail: memory only.
    Degraded,
}

impl State {
    /// Returns the word in `collector_self_metrics`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Full => "full",
            Self::Degraded => "degraded",
        }
    }
}

/// Losses of one class since the spool was opened, those found while opening included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossCount {
    /// Notes of loss.
    pub notes: u64,
    /// Records, at least.
    pub records: u64,
    /// Rows, where known.
    pub rows: u64,
}

/// A spool folder, opened to write. All calls block; run them off the runtime's thread.
#[derive(Debug)]
pub struct Spool<D: Disk = RealDisk> {
    disk: D,
    root: PathBuf,
    options: SpoolOptions,
    writer: Uuid,
    /// Held for its lock.
    lock: D::File,
    streams: [Stream<D::File>; 3],
    /// Damaged copies, oldest first.
    quarantine: Vec<DirEntry>,
    /// Files that could not be removed.
    leftovers: Vec<Leftover>,
    /// Losses that the event stream could not yet take.
    unreported: Vec<Loss>,
    lost: [LossCount; 3],
    overflowing: bool,
    /// One segment at a time is read whole.
    buf: Vec<u8>,
}

impl<D: Disk> Spool<D> {
    /// Returns the identity under which the database keeps this spool's progress.
    #[must_use]
    pub const fn writer(&self) -> Uuid {
        self.writer
    }

    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Returns the budget in bytes.
    #[must_use]
    pub const fn budget(&self) -> u64 {
        self.options.budget
    }

    /// Changes the budget, at least four segments; the excess is removed with the next append.
    pub fn set_budget(&mut self, bytes: u64) {
        self.options.budget = bytes.max(4 * self.segment_bytes());
    }

    /// Returns the numbers of a class that are on disk.
    #[must_use]
    pub fn present(&self, class: Class) -> RangeSet {
        let segments = &self.streams[slot(class)].segments;
        segments
            .iter()
            .flat_map(|s| s.content.present.iter())
            .collect()
    }

    /// Numbers below [`next_lsn`](Self::next_lsn) that no record ever had, as far as known from
    /// the files. Progress may count them as done.
    #[must_use]
    pub fn unused(&self, class: Class) -> &RangeSet {
        &self.streams[slot(class)].unused
    }

    /// Returns the number after the newest acknowledged record of a class. The next record has it, or a
    /// higher one after failures; those between are [`unused`](Self::unused) then.
    #[must_use]
    pub const fn next_lsn(&self, class: Class) -> u64 {
        self.streams[slot(class)].acked
    }

    /// Bytes on disk: preallocated segments, damaged copies, leftovers, and files that were removed but
    /// could come back with the next crash.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        let segments = self.streams.iter().flat_map(|s| &s.segments);
        let sizes = segments.map(|s| s.size);
        let sizes = sizes.chain(self.quarantine.iter().map(|q| q.len));
        let sizes = sizes.chain(self.streams.iter().map(|s| s.unsynced));
        sizes.chain(self.leftovers.iter().map(|l| l.size)).sum()
    }

    /// Records and rows of a class on disk, delivered or not.
    #[must_use]
    pub fn stored(&self, class: Class) -> (u64, u64) {
        let segments = self.streams[slot(class)].segments.iter();
        segments.fold((0, 0), |(records, rows), s| {
            (records + s.content.records, rows + s.content.rows)
        })
    }

    /// Returns whether appends are durable.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.unreported.is_empty() || self.streams.iter().any(|s| s.failures > 0) {
            State::Degraded
        } else if self.overflowing && !self.has_room() {
            State::Full
        } else {
            State::Ok
        }
    }

    /// Losses of a class since the spool was opened.
    #[must_use]
    pub const fn losses(&self, class: Class) -> LossCount {
        self.lost[slot(class)]
    }

    fn segment_bytes(&self) -> u64 {
        u64::from(self.options.segment)
    }

    /// Returns whether one more segment leaves the reserve whole.
    fn has_room(&self) -> bool {
        self.bytes_on_disk() + 2 * self.segment_bytes() <= self.options.budget
    }
}
