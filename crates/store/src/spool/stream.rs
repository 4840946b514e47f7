//! One class: its segments on disk and the file that is being filled.

use std::path::PathBuf;

use schema::Class;

use super::format::Seal;
use super::scan::Content;
use crate::ranges::RangeSet;

/// A segment on disk.
#[derive(Debug)]
pub(super) struct Segment {
    /// The number in its file name; [`Self::first`] unless someone renamed it.
    pub(super) name: u64,
    /// The number of its first record.
    pub(super) first: u64,
    /// Numbers from here on are void in it.
    pub(super) limit: u64,
    /// Bytes on disk.
    pub(super) size: u64,
    pub(super) content: Content,
    /// Its loss is reported; it only remains to be removed.
    pub(super) is_reported: bool,
    /// It may show, on disk, records that only the next segment's header voids.
    pub(super) ghost: bool,
}

/// A segment that failed and could not be removed, under one of these names or none.
#[derive(Debug)]
pub(super) struct Leftover {
    pub(super) class: Class,
    pub(super) paths: Vec<PathBuf>,
    /// Counted until all names are gone.
    pub(super) size: u64,
}

/// The position of sequential reading.
#[derive(Debug)]
pub(super) struct Cursor<F> {
    pub(super) name: u64,
    pub(super) file: F,
    /// The number expected at `at`.
    pub(super) lsn: u64,
    pub(super) at: usize,
}

/// One class.
#[derive(Debug)]
pub(super) struct Stream<F> {
    pub(super) seal: Seal,
    pub(super) dir: PathBuf,
    /// Ascending by [`Segment::first`].
    pub(super) segments: Vec<Segment>,
    /// The last segment's file while it may be appended to.
    pub(super) active: Option<F>,
    /// The number after the newest acknowledged record.
    pub(super) acked: u64,
    /// The number the next record gets; above `acked` after failures.
    pub(super) next: u64,
    pub(super) unused: RangeSet,
    /// As of the last release.
    pub(super) delivered: RangeSet,
    /// Value of `next` when the spool was opened.
    pub(super) opened_at: u64,
    pub(super) resumed: bool,
    /// Failed attempts since the last success.
    pub(super) failures: u32,
    /// Appends to refuse before the next attempt.
    pub(super) pause: u32,
    pub(super) cursor: Option<Cursor<F>>,
    /// Records of the newest segment as found on opening that could not be made durable again: they
    /// may vanish with the next crash, and so may only be delivered when a later segment counts
    /// them.
    pub(super) unsure: RangeSet,
    /// Bytes of files that were removed since the folder was last synced: after a crash they may
    /// be back, so they still count.
    pub(super) unsynced: u64,
    /// An earlier process may have removed files likewise.
    pub(super) doubtful: bool,
    /// A segment with ghosts was removed: the next may only follow when that is durable.
    pub(super) fence: bool,
}

impl<F> Stream<F> {
    pub(super) const fn new(seal: Seal, dir: PathBuf) -> Self {
        Self {
            seal,
            dir,
            segments: Vec::new(),
            active: None,
            acked: 1,
            next: 1,
            unused: RangeSet::new(),
            delivered: RangeSet::new(),
            opened_at: 1,
            resumed: false,
            failures: 0,
            pause: 0,
            cursor: None,
            unsure: RangeSet::new(),
            unsynced: 0,
            doubtful: false,
            fence: false,
        }
    }

    pub(super) fn path(&self, name: u64) -> PathBuf {
        self.dir.join(format!("{name:016}.seg"))
    }

    pub(super) fn tmp_path(&self, name: u64) -> PathBuf {
        self.dir.join(format!("{name:016}.tmp"))
    }

    /// Returns whether so many more bytes fit the segment that is being filled.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.active.is_some()
            && self
                .segments
                .last()
                .is_some_and(|s| s.content.end.saturating_add(bytes) as u64 <= s.size)
    }

    /// Returns whether a segment may be removed before the previous one.
    pub(super) fn removable(&self, index: usize) -> bool {
        index == 0 || !self.segments[index - 1].ghost
    }

    /// Adds a segment that was made, and fills it from now on.
    pub(super) fn fill(&mut self, first: u64, size: u64, content: Content, file: F) {
        self.unsynced = 0;
        self.assure();
        let last = content.present.last();
        if let Some(previous) = self.segments.last_mut() {
            previous.limit = self.acked;
        }
        self.unused.insert(self.acked..first);
        self.segments.push(Segment {
            name: first,
            first,
            limit: u64::MAX,
            size,
            content,
            is_reported: false,
            ghost: false,
        });
        self.active = Some(file);
        self.next = last.map_or(first, |lsn| lsn + 1);
        self.acked = self.next;
        self.failures = 0;
    }

    /// Counts the unsure records again.
    pub(super) fn assure(&mut self) {
        if let Some(last) = self.segments.last_mut() {
            let unsure = std::mem::take(&mut self.unsure);
            last.content.present = last.content.present.union(&unsure);
        }
    }
}
