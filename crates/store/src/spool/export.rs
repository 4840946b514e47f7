//! Reading a spool folder that another process may be writing.

use std::path::{Path, PathBuf};

use schema::Class;
use uuid::Uuid;

use super::disk::{Disk, OpenMode, RealDisk};
use super::folder::newer;
use super::format::{BadHeader, SEGMENT_HEADER, Seal, SegmentHeader};
use super::scan::{Walk, load, read_header};
use super::{Record, Result, SpoolError};

/// A segment to read.
#[derive(Clone, Copy, Debug)]
struct Part {
    class: Class,
    writer: Uuid,
    first: u64,
    limit: u64,
}

/// Walks over the records of a spool folder, changing nothing and taking no lock.
///
/// Records are found by their checksums alone, so this reads a damaged folder, and one in use: a
/// segment that vanishes meanwhile is passed over, a record that is half written is not seen.
#[derive(Debug)]
pub struct Reader<D: Disk = RealDisk> {
    disk: D,
    /// In reading order, reversed.
    files: Vec<(PathBuf, Part)>,
    buf: Vec<u8>,
    /// The segment in the buffer, and where to go on in it.
    current: Option<(Part, (usize, u64))>,
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
        let mut found = Vec::new();
        for class in Class::ALL {
            let dir = root.join(class.as_str());
            for entry in disk.list(&dir).map_err(SpoolError::io("list", &dir))? {
                let path = dir.join(&entry.name);
                let number = entry.name.strip_suffix(".seg");
                let Some(number) = number.and_then(|n| n.parse::<u64>().ok()) else {
                    continue;
                };
                let Ok(file) = disk.open(&path, OpenMode::Read) else {
                    continue;
                };
                let header = match SegmentHeader::decode(&read_header(&file)) {
                    Ok(header) => Some(header),
                    Err(BadHeader::Damaged) => None,
                    Err(BadHeader::Newer(found)) => return Err(newer(path, found)),
                };
                found.push((class, path, number, header));
            }
        }
        // A segment without its header is of the same writer as the others.
        let writers = found.iter().filter_map(|f| f.3.as_ref().map(|h| h.writer));
        let writer = writers.min().unwrap_or_default();
        let mut files: Vec<(PathBuf, Part, u64)> = found
            .into_iter()
            .map(|(class, path, number, header)| {
                let (class, writer, first, continues) = header
                    .map_or((class, writer, number, number), |h| {
                        (h.class, h.writer, h.first, h.continues)
                    });
                let limit = u64::MAX;
                let part = Part {
                    class,
                    writer,
                    first,
                    limit,
                };
                (path, part, continues)
            })
            .collect();
        files.sort_by_key(|(_, part, _)| (part.class, part.writer, part.first));
        for i in (1..files.len()).rev() {
            let (next, continues) = (files[i].1, files[i].2);
            let part = &mut files[i - 1].1;
            if (part.class, part.writer) == (next.class, next.writer) {
                part.limit = next.limit.min(continues);
            }
        }
        Ok(Self {
            disk,
            files: files.into_iter().rev().map(|f| (f.0, f.1)).collect(),
            buf: Vec::new(),
            current: None,
        })
    }

    /// Returns the writers whose segments are there: one, unless someone copied files together.
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
            if let Some((part, position)) = &mut self.current {
                let seal = Seal::new(part.writer, part.class);
                let mut walk = Walk::new(&self.buf, seal, part.first, part.limit).at(*position);
                if let Some((at, head)) = walk.next() {
                    *position = walk.position();
                    if let Some(record) = head.record(&self.buf[at..]) {
                        return Some((part.class, record));
                    }
                    continue;
                }
                self.current = None;
            }
            let (path, part) = self.files.pop()?;
            let file = self.disk.open(&path, OpenMode::Read);
            if file.and_then(|file| load(&file, &mut self.buf)).is_ok()
                && self.buf.len() >= SEGMENT_HEADER
            {
                self.current = Some((part, (SEGMENT_HEADER, part.first)));
            }
        }
    }
}
