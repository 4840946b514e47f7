//! Giving up the least valuable records when the budget is reached.

use schema::Class;

use super::append::Reserve;
use super::disk::{Disk, OpenMode, is_damage};
use super::format::slot;
use super::scan::{Walk, load};
use super::{Kind, Loss, Reason, Result, Spool, SpoolError};
use crate::failpoint::failpoint;
use crate::ranges::RangeSet;

impl<D: Disk> Spool<D> {
    /// Frees until one more segment leaves the reserve whole, or `bytes` fit the segment being
    /// filled after all: reporting the loss may have begun a new one.
    pub(super) fn make_room(&mut self, class: Class, bytes: usize) -> Result<()> {
        self.sweep();
        while !self.has_room() && !self.streams[slot(class)].fits(bytes) {
            // Removing more would gain nothing while removals cannot be made durable.
            let stuck = self
                .streams
                .iter()
                .position(|s| s.unsynced > 0 || s.doubtful);
            if let Some(stuck) = stuck {
                self.sync_removals(Class::ALL[stuck])
                    .map_err(|error| self.down(class, error))?;
                continue;
            }
            if !self.quarantine.is_empty() {
                self.drop_quarantined()
                    .map_err(|error| self.down(class, error))?;
                continue;
            }
            let Some(victim) = self.victim(class) else {
                return Err(SpoolError::Full {
                    class,
                    budget: self.options.budget,
                });
            };
            self.overflowing = true;
            self.give_up(victim).map_err(|error| match error {
                error @ (SpoolError::Full { .. } | SpoolError::Down { .. }) => error,
                error => self.down(class, error),
            })?;
        }
        Ok(())
    }

    /// Returns the class whose oldest segment is removed: of the classes up to this one the lowest that has one besides its
    /// newest; else the class's own, unless that is empty and can still be filled; and so that each
    /// class can hold one segment, at last that of a higher class which has more.
    fn victim(&self, class: Class) -> Option<Class> {
        let segments = |c: Class| &self.streams[slot(c)].segments;
        let several = |c: &Class| segments(*c).len() > 1;
        let own = segments(class).first();
        let retired = self.streams[slot(class)].active.is_none();
        Class::ALL
            .into_iter()
            .filter(|c| *c <= class)
            .find(several)
            .or_else(|| {
                own.filter(|s| s.content.records > 0 || retired)
                    .map(|_| class)
            })
            .or_else(|| Class::ALL.into_iter().find(several))
    }

    /// Reports the loss of the oldest segment of a class, then removes it.
    fn give_up(&mut self, class: Class) -> Result<()> {
        let stream = &mut self.streams[slot(class)];
        if stream.segments.len() == 1 {
            stream.assure();
            // Its notes must go elsewhere.
            stream.active = None;
        }
        if !self.streams[slot(class)].segments[0].is_reported {
            let (loss, carried) = self.undelivered(class)?;
            for note in carried {
                self.queue_counted_loss(note);
            }
            if !loss.lsns.is_empty() {
                self.queue_loss(loss);
            }
            self.settle(Reserve::Use);
            if !self.unreported.is_empty() {
                return Err(SpoolError::Down {
                    class: Class::Event,
                    source: None,
                });
            }
            self.streams[slot(class)].segments[0].is_reported = true;
        }
        self.remove_segment(class, 0)?;
        self.sync_removals(class)
    }

    /// Returns the undelivered records of the oldest segment of a class: the loss it would be, and
    /// the notes of earlier losses, which get new numbers: their old ones are reported, but do
    /// not count as records.
    fn undelivered(&mut self, class: Class) -> Result<(Loss, Vec<Loss>)> {
        let stream = &self.streams[slot(class)];
        let segment = &stream.segments[0];
        let content = &segment.content;
        let mut loss = Loss {
            class,
            lsns: RangeSet::new(),
            from_ts: content.from_ts,
            to_ts: content.to_ts,
            records: 0,
            rows: Some(0),
            reason: Reason::Overflow,
        };
        let mut carried: Vec<Loss> = Vec::new();
        let undelivered = content.present.difference(&stream.delivered);
        let path = stream.path(segment.name);
        let read = self.disk.open(&path, OpenMode::Read);
        match read.and_then(|file| load(&file, &mut self.buf)) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => self.buf.clear(),
            Err(error) => return Err(SpoolError::io("read", &path)(error)),
        }
        let mut span = None;
        for (at, head) in Walk::new(&self.buf, stream.seal, segment.first, segment.limit) {
            if !undelivered.contains(head.lsn) {
                continue;
            }
            if head.kind == Kind::Loss {
                let note = head.record(&self.buf[at..]).and_then(|r| r.loss());
                if let Some(note) = note {
                    let same = |n: &&mut Loss| n.class == note.class && n.reason == note.reason;
                    match carried.iter_mut().find(same) {
                        Some(other) => other.merge(&note),
                        None => carried.push(note),
                    }
                    loss.lsns.insert(head.lsn..head.lsn + 1);
                    continue;
                }
            }
            let (from, to) = span.unwrap_or((head.ts, head.ts));
            span = Some((from.min(head.ts), to.max(head.ts)));
            loss.records += 1;
            loss.rows = loss.rows.map(|rows| rows + u64::from(head.rows));
            loss.lsns.insert(head.lsn..head.lsn + 1);
        }
        if let Some((from, to)) = span {
            (loss.from_ts, loss.to_ts) = (from, to);
        }
        // Unreadable records are lost, too.
        let unread = undelivered.difference(&loss.lsns);
        if !unread.is_empty() {
            loss.records += unread.len();
            loss.rows = None;
            loss.lsns = loss.lsns.union(&unread);
        }
        Ok((loss, carried))
    }

    /// Unlinks a segment; the caller syncs the folder.
    pub(super) fn remove_segment(&mut self, class: Class, index: usize) -> Result<()> {
        if self.streams[slot(class)].fence {
            self.sync_removals(class)?;
        }
        let stream = &mut self.streams[slot(class)];
        let path = stream.path(stream.segments[index].name);
        unlink(&self.disk, &path).map_err(SpoolError::io("remove", &path))?;
        let removed = stream.segments.remove(index);
        stream.unsynced += removed.size;
        stream.fence |= removed.ghost;
        if index == stream.segments.len() {
            stream.active = None;
        }
        if stream
            .cursor
            .as_ref()
            .is_some_and(|c| c.name == removed.name)
        {
            stream.cursor = None;
        }
        Ok(())
    }

    /// Tries again to remove what would not go.
    pub(super) fn sweep(&mut self) {
        for mut leftover in std::mem::take(&mut self.leftovers) {
            leftover
                .paths
                .retain(|path| unlink(&self.disk, path).is_err());
            if leftover.paths.is_empty() {
                self.streams[slot(leftover.class)].unsynced += leftover.size;
            } else {
                self.leftovers.push(leftover);
            }
        }
        for class in Class::ALL {
            // Counted until it succeeds.
            drop(self.sync_removals(class));
        }
    }
}

/// Unlinks a file; one that is gone already is fine.
pub(super) fn unlink<D: Disk>(disk: &D, path: &std::path::Path) -> std::io::Result<()> {
    failpoint!("spool.unlink.before");
    match disk.unlink(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    failpoint!("spool.unlink.after");
    Ok(())
}
