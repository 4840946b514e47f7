//! The files of a spool folder, before a record is read.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk::{DirEntry, Disk, DiskFile, OpenMode, is_damage, read_full, write_full};
use super::format::{BadHeader, FORMAT_VERSION, SegmentHeader, decode_id, encode_id};
use super::scan::read_header;
use super::{Result, SpoolError};
use crate::failpoint::failpoint;

/// A file of a stream before its records are read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: u64,
    pub(super) len: u64,
    pub(super) header: Option<SegmentHeader>,
    pub(super) first: u64,
    pub(super) continues: u64,
}

/// Takes the folder's lock and leaves the pid in it.
pub(super) fn lock<D: Disk>(disk: &D, root: &Path) -> Result<D::File> {
    let path = root.join("lock");
    let file = disk
        .open(&path, OpenMode::Create)
        .map_err(SpoolError::io("open", &path))?;
    if file.try_lock().map_err(SpoolError::io("lock", &path))? {
        // For the message of a process that finds the folder busy; the lock itself does not need it.
        let pid = format!("{}\n", std::process::id());
        drop(
            file.set_len(0)
                .and_then(|()| write_full(&file, pid.as_bytes(), 0)),
        );
        return Ok(file);
    }
    let mut text = [0; 16];
    let len = read_full(&file, &mut text, 0).unwrap_or(0);
    let pid = std::str::from_utf8(&text[..len]).unwrap_or("").trim();
    let known = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    Err(SpoolError::Busy {
        path: root.to_owned(),
        pid: if known { pid } else { "unknown" }.to_owned(),
    })
}

/// Returns the segments of a folder; half-made ones are removed.
pub(super) fn candidates<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<Candidate>> {
    let mut list = Vec::new();
    for DirEntry { name, len } in disk.list(dir).map_err(SpoolError::io("list", dir))? {
        let path = dir.join(&name);
        if name.ends_with(".tmp") {
            disk.unlink(&path)
                .map_err(SpoolError::io("remove", &path))?;
            continue;
        }
        let Some(number) = name
            .strip_suffix(".seg")
            .and_then(|n| n.parse::<u64>().ok())
        else {
            continue;
        };
        let header = match disk.open(&path, OpenMode::Read) {
            Ok(file) => match SegmentHeader::decode(&read_header(&file)) {
                Ok(header) => Some(header),
                Err(BadHeader::Damaged) => None,
                Err(BadHeader::Newer(found)) => return Err(newer(path, found)),
            },
            Err(error) if is_damage(&error) => None,
            Err(error) => return Err(SpoolError::io("open", &path)(error)),
        };
        let (first, continues) = header
            .as_ref()
            .map_or((number, number), |h| (h.first, h.continues));
        list.push(Candidate {
            name: number,
            len,
            header,
            first,
            continues,
        });
    }
    Ok(list)
}

/// Returns the error for a file of a later version.
pub(super) fn newer(path: PathBuf, found: u32) -> SpoolError {
    SpoolError::NewerFormat {
        path,
        found,
        supported: FORMAT_VERSION,
    }
}

/// Returns the writer's identity, and whether it was there before. A damaged `spool.id` is restored from
/// the segments. Without any segment there is nothing to go on with, so the writer is a new one:
/// its numbers begin at 1 again.
pub(super) fn identity<D: Disk>(
    disk: &D,
    root: &Path,
    lists: &[Vec<Candidate>],
) -> Result<(Uuid, bool)> {
    let path = root.join("spool.id");
    let mut headers = lists.iter().flatten().filter_map(|c| c.header.as_ref());
    let found = match disk.open(&path, OpenMode::Read) {
        Ok(file) => {
            let mut text = [0; 128];
            let len = read_full(&file, &mut text, 0).unwrap_or(0);
            let text = std::str::from_utf8(&text[..len]).unwrap_or("");
            match decode_id(text) {
                Ok(writer) => Some(writer),
                Err(BadHeader::Newer(found)) => return Err(newer(path, found)),
                Err(BadHeader::Damaged) => None,
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(SpoolError::io("open", &path)(error)),
    };
    let empty = lists.iter().all(Vec::is_empty);
    if let Some(writer) = found.filter(|_| !empty) {
        return Ok((writer, true));
    }
    let adopted = headers.next().map(|h| h.writer);
    let writer = adopted.unwrap_or_else(Uuid::new_v4);
    // Without it the next start adopts the writer from the segments.
    drop(write_id(disk, root, writer));
    Ok((writer, adopted.is_some()))
}

/// Writes the identity of the writer.
pub(super) fn write_id<D: Disk>(disk: &D, root: &Path, writer: Uuid) -> io::Result<()> {
    let tmp = root.join("spool.id.tmp");
    failpoint!("spool.id.before_write");
    let file = disk.open(&tmp, OpenMode::Create)?;
    file.set_len(0)?;
    write_full(&file, encode_id(writer).as_bytes(), 0)?;
    failpoint!("spool.id.before_sync");
    file.sync_data()?;
    failpoint!("spool.id.before_rename");
    disk.rename(&tmp, &root.join("spool.id"))?;
    failpoint!("spool.id.after_rename");
    disk.sync_dir(root)
}
