//! Releasing delivered records.

use schema::Class;

use super::append::Reserve;
use super::disk::Disk;
use super::format::{Body, slot};
use super::{Result, Spool};
use crate::ranges::RangeSet;

impl<D: Disk> Spool<D> {
    /// Removes every segment whose records are all delivered and returns how many went. The newest
    /// stays until it is half full or retired; then an empty one takes its place first, because the
    /// last lsn must remain known. Where the disk has no room for that, it stays.
    ///
    /// # Errors
    /// `SpoolError::Io` when a file would not go; nothing is lost, the next call tries again.
    pub fn release(&mut self, class: Class, delivered: &RangeSet) -> Result<usize> {
        self.sweep();
        let stream = &mut self.streams[slot(class)];
        stream.delivered.clone_from(delivered);
        if let Some(last) = stream.segments.last() {
            let spent = stream.active.is_none() || 2 * last.content.end as u64 > last.size;
            if spent && delivered.contains_all(&last.content.present) {
                // All of it is delivered. A segment that is being filled stays; without one the next
                // append tries again, and whether that succeeds is what counts.
                drop(self.begin_segment(class, None));
            }
        }
        let mut removed = 0;
        let mut index = 0;
        while index + 1 < self.streams[slot(class)].segments.len() {
            let stream = &self.streams[slot(class)];
            let segment = &stream.segments[index];
            let done = segment.is_reported || delivered.contains_all(&segment.content.present);
            if done && stream.removable(index) {
                self.remove_segment(class, index)?;
                removed += 1;
            } else {
                index += 1;
            }
        }
        self.sync_removals(class)?;
        Ok(removed)
    }

    /// Compares with the progress in the database when the agent first reached it, and returns
    /// how many records got a new number. To be called once per class before anything is delivered;
    /// later calls do nothing.
    ///
    /// When the newest file of a stream is lost, or the folder is an older copy, numbers begin
    /// again below those that the database has. Records stored under such a number since the spool was
    /// opened are stored once more under a new one, and numbers go on beyond all that are known.
    ///
    /// # Errors
    /// As [`Spool::append`]; the next call continues where this one stopped.
    pub fn resume(&mut self, class: Class, delivered: &RangeSet) -> Result<u64> {
        let present = self.present(class);
        let stream = &mut self.streams[slot(class)];
        if stream.resumed {
            return Ok(0);
        }
        let since = RangeSet::from(stream.opened_at..u64::MAX);
        let ahead = delivered.intersection(&since);
        let mut renumbered = 0;
        if let Some(newest) = ahead.last() {
            if stream.next <= newest {
                stream.next = newest + 1;
                stream.active = None;
            }
            for lsn in present.intersection(&ahead).iter().flatten() {
                for record in self.read(class, lsn, 0, 1)? {
                    if record.lsn == lsn {
                        let (ts, rows) = (record.ts, record.rows);
                        let mut body = Body::new(ts, rows, record.kind, &record.payload);
                        self.store(class, &mut body, Reserve::Keep)?;
                        renumbered += 1;
                    }
                }
                self.streams[slot(class)].opened_at = lsn + 1;
            }
        }
        self.streams[slot(class)].resumed = true;
        Ok(renumbered)
    }
}
