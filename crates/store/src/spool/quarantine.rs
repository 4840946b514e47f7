//! Keeping damaged files for examination, within bounds.

use schema::Class;

use super::disk::{DirEntry, Disk};
use super::folder::Candidate;
use super::format::slot;
use super::overflow::unlink;
use super::stream::Leftover;
use super::{Result, Spool, SpoolError};

/// At most so many damaged copies are kept.
const QUARANTINE_FILES: usize = 8;
/// And at most this part of the budget.
const QUARANTINE_SHARE: u64 = 8;
impl<D: Disk> Spool<D> {
    /// Links a damaged segment into quarantine, once and within bounds.
    pub(super) fn quarantine_copy(&mut self, class: Class, name: u64) {
        let stream = &self.streams[slot(class)];
        let path = stream.path(name);
        let copy = format!("{}-{name:016}.seg", class.as_str());
        let len = self.segment_bytes();
        if self.quarantine.iter().any(|q| q.name == copy) || !self.bound_quarantine(len) {
            return;
        }
        let target = self.root.join("quarantine").join(&copy);
        if self.disk.link(&path, &target).is_ok() {
            self.quarantine.push(DirEntry { name: copy, len });
        }
    }

    /// Moves a file that is not of this stream to quarantine.
    pub(super) fn quarantine_move(&mut self, class: Class, candidate: &Candidate) {
        let name = candidate.name;
        let path = self.streams[slot(class)].path(name);
        let copy = format!("{}-{name:016}-foreign.seg", class.as_str());
        let target = self.root.join("quarantine").join(&copy);
        self.bound_quarantine(candidate.len);
        if self.disk.rename(&path, &target).is_ok() {
            self.quarantine.retain(|q| q.name != copy);
            let len = candidate.len;
            self.quarantine.push(DirEntry { name: copy, len });
        } else {
            self.leftovers.push(Leftover {
                class,
                paths: vec![path],
                size: candidate.len,
            });
        }
    }

    /// Makes room in quarantine for a file; whether there is room now.
    fn bound_quarantine(&mut self, len: u64) -> bool {
        let most = (self.options.budget / QUARANTINE_SHARE).max(self.segment_bytes());
        let full = |s: &Self| {
            s.quarantine.len() >= QUARANTINE_FILES
                || s.quarantine.iter().map(|q| q.len).sum::<u64>() + len > most
        };
        while !self.quarantine.is_empty() && full(self) {
            if self.drop_quarantined().is_err() {
                return false;
            }
        }
        !full(self) && self.bytes_on_disk() + len + self.segment_bytes() <= self.options.budget
    }

    /// Removes the oldest damaged copy.
    pub(super) fn drop_quarantined(&mut self) -> Result<()> {
        let dir = self.root.join("quarantine");
        let path = dir.join(&self.quarantine[0].name);
        unlink(&self.disk, &path).map_err(SpoolError::io("remove", &path))?;
        (self.disk.sync_dir(&dir)).map_err(SpoolError::io("sync", &dir))?;
        self.quarantine.remove(0);
        Ok(())
    }
}
