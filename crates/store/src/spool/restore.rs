//! Restoring the folder after it, or files of it, were removed under a running process.
//!
//! A file that has no name any more still takes writes and syncs that would never be found. So
//! each append asks the file system first whether the files being filled have names (one `fstat` each).
//! If not, the folder is created again, with its lock, and everything the index lists is compared with what is
//! there. Each missing segment is one loss of reason `missing`, from which its
//! delivery subtracts what the database already has. Numbers continue where they were.

use std::collections::BTreeSet;
use std::io;

use schema::Class;

use super::disk::{Disk, DiskFile};
use super::folder::{lock, write_id};
use super::format::slot;
use super::{Loss, Reason, Result, Spool, SpoolError};

impl<D: Disk> Spool<D> {
    /// Checks whether the folder is still there, and creates it again if not. Returns whether it did.
    ///
    /// # Errors
    /// When the folder cannot be made; the next call tries again.
    pub fn restore_folder(&mut self) -> Result<bool> {
        if !self.is_gone() {
            return Ok(false);
        }
        self.rebuild_folder()?;
        Ok(true)
    }

    /// Returns whether a file being filled has no name, or nothing can be filled and the folder is missing.
    fn is_gone(&self) -> bool {
        self.streams.iter().any(|stream| match &stream.active {
            Some(file) => matches!(file.is_linked(), Ok(false)),
            None => {
                let listed = self.disk.list(&stream.dir);
                listed.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
            }
        })
    }

    /// Creates the folder again, and drops segments without a file.
    fn rebuild_folder(&mut self) -> Result<()> {
        let quarantine = self.root.join("quarantine");
        for dir in [&self.root, &quarantine] {
            self.disk
                .create_dir(dir)
                .map_err(SpoolError::io("make", dir))?;
        }
        if matches!(self.lock.is_linked(), Ok(false)) {
            self.lock = lock(&self.disk, &self.root)?;
        }
        // Without it the next start adopts the writer from the segments.
        drop(write_id(&self.disk, &self.root, self.writer));
        let kept = self.disk.list(&quarantine).unwrap_or_default();
        self.quarantine
            .retain(|copy| kept.iter().any(|entry| entry.name == copy.name));
        for class in Class::ALL {
            let dir = self.streams[slot(class)].dir.clone();
            self.disk
                .create_dir(&dir)
                .map_err(SpoolError::io("make", &dir))?;
            let entries = self.disk.list(&dir).map_err(SpoolError::io("list", &dir))?;
            let names = entries.into_iter().map(|entry| entry.name).collect();
            self.forget_missing(class, &names);
        }
        self.disk
            .sync_dir(&self.root)
            .map_err(SpoolError::io("sync", &self.root))
    }

    /// Removes segments without a file from the index, and notes their records as lost.
    fn forget_missing(&mut self, class: Class, names: &BTreeSet<String>) {
        let stream = &mut self.streams[slot(class)];
        let is_there = |name: u64| {
            let path = stream.path(name);
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| names.contains(name))
        };
        let last = stream.segments.last().map(|segment| segment.name);
        let there: Vec<bool> = stream.segments.iter().map(|s| is_there(s.name)).collect();
        if !last.is_some_and(is_there)
            || matches!(&stream.active, Some(file) if matches!(file.is_linked(), Ok(false)))
        {
            stream.active = None;
        }
        stream.cursor = None;
        stream.unsynced = 0;
        stream.pause = 0;
        let mut losses = Vec::new();
        let mut index = 0;
        stream.segments.retain(|segment| {
            let is_there = there[index];
            index += 1;
            let lsns = segment.content.present.difference(&stream.delivered);
            if !is_there && !segment.is_reported && !lsns.is_empty() {
                losses.push(Loss {
                    class,
                    from_ts: segment.content.from_ts,
                    to_ts: segment.content.to_ts,
                    records: lsns.len(),
                    lsns,
                    rows: None,
                    reason: Reason::Missing,
                });
            }
            is_there
        });
        self.leftovers.retain(|left| left.class != class);
        for loss in losses {
            self.queue_loss(loss);
        }
    }
}
