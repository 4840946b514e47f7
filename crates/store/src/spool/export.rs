//! Reading a spool folder that another process may be writing.

use std::path::{Path, PathBuf};

use schema::Class;
use uuid::Uuid;

use super::disk::{Disk, OpenMode, RealDisk};
use super::format::{BadHeader, FORMAT_VERSION, SEGMENT_HEADER, Seal, SegmentHeader};
use super::scan::{Walk, load, read_header};
use super::{Record, Result, SpoolError};

/// Walks over the records of a spool folder, changing nothing and taking no lock.
///
/// Records are found by their checksums alone, so this reads a damaged folder, and one in use: a
/// segment that vanishes meanwhile is passed over, a record that is half written is not seen.
#[derive(Debug)]
pub struct Reader<D: Disk = RealDisk> {
    disk: D,
    /// Class, file, header and limit, in reading order, reversed.
    files: Vec<(PathBuf, SegmentHeader, u64)>,
    buf: Vec<u8>,
    /// Where to go on in the buffer: its segment and the next number.
    current: Option<(SegmentHeader, u64, u64)>,
}

impl Reader<RealDisk> {
    /// Opens a spool folder of this machine.
    ///
    /// # Errors
    /// See [`Reader::open_readonly_on`].
    pub fn open_readonly(root: &Path) -> Result<Self> {
        Self::open_readonly_on(RealDisk, root)
    }
}

impl<D: Disk> Reader<D> {
    /// Opens a spool folder of some file system.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when it cannot be listed, [`SpoolError::NewerFormat`].
    pub fn open_readonly_on(disk: D, root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for class in Class::ALL {
            let dir = root.join(class.as_str());
            let mut found = Vec::new();
            for entry in disk.list(&dir).map_err(SpoolError::io("list", &dir))? {
                let path = dir.join(&entry.name);
                if !entry.name.ends_with(".seg") {
                    continue;
                }
                let Ok(file) = disk.open(&path, OpenMode::Read) else {
                    continue;
                };
                match SegmentHeader::decode(&read_header(&file)) {
                    Ok(header) => found.push((path, header, u64::MAX)),
                    Err(BadHeader::Damaged) => {}
                    Err(BadHeader::Newer(found)) => {
                        return Err(SpoolError::NewerFormat {
                            path,
                            found,
                            supported: FORMAT_VERSION,
                        });
                    }
                }
            }
            found.sort_by_key(|(_, header, _)| header.first);
            for i in (1..found.len()).rev() {
                found[i - 1].2 = found[i].2.min(found[i].1.continues);
            }
            files.extend(found);
        }
        files.reverse();
        Ok(Self {
            disk,
            files,
            buf: Vec::new(),
            current: None,
        })
    }

    /// The writers whose segments are there: one, unless someone copied files together.
    #[must_use]
    pub fn writers(&self) -> Vec<Uuid> {
        let mut writers: Vec<Uuid> = self.files.iter().map(|f| f.1.writer).collect();
        writers.sort_unstable();
        writers.dedup();
        writers
    }
}

impl<D: Disk> Iterator for Reader<D> {
    type Item = (Class, Record);

    fn next(&mut self) -> Option<(Class, Record)> {
        loop {
            if let Some((header, limit, from)) = &mut self.current {
                let seal = Seal::new(header.writer, header.class);
                let mut walk = Walk::new(&self.buf, seal, header.first, *limit);
                let found = walk.find(|(_, head)| head.lsn >= *from);
                if let Some((at, head)) = found {
                    *from = head.lsn + 1;
                    if let Some(record) = head.record(&self.buf[at..]) {
                        return Some((header.class, record));
                    }
                    continue;
                }
                self.current = None;
            }
            let (path, header, limit) = self.files.pop()?;
            let file = self.disk.open(&path, OpenMode::Read);
            if file.and_then(|file| load(&file, &mut self.buf)).is_ok()
                && self.buf.len() >= SEGMENT_HEADER
            {
                let first = header.first;
                self.current = Some((header, limit, first));
            }
        }
    }
}
