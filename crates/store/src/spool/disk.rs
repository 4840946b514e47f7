//! The few things the spool asks of a file system, so that tests can put a failing one in its
//! place. [`RealDisk`] is the machine's own.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name; a name that is not UTF-8 is not listed.
    pub name: String,
    /// Its length.
    pub len: u64,
}

/// Mode of opening a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To read; it must exist.
    Read,
    /// To read and write; it must exist.
    Write,
    /// To read and write; it must not exist.
    CreateNew,
    /// To read and write; it may exist.
    Create,
}

/// A file system. Calls may be interrupted, short or fail; the spool copes.
pub trait Disk: fmt::Debug + Send {
    /// An open file.
    type File: DiskFile;

    /// Makes a folder for the owner only; one that exists is fine.
    ///
    /// # Errors
    /// As the file system reports.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Returns the regular files of a folder, in no order.
    ///
    /// # Errors
    /// As the file system reports.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Opens a file.
    ///
    /// # Errors
    /// As the file system reports.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File>;
    /// Renames a file, replacing the one with that name.
    ///
    /// # Errors
    /// As the file system reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Links a file under a second name.
    ///
    /// # Errors
    /// As the file system reports; some know no hard links.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a name away.
    ///
    /// # Errors
    /// As the file system reports.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Makes the names of a folder durable.
    ///
    /// # Errors
    /// As the file system reports.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// An open file of a [`Disk`].
pub trait DiskFile: fmt::Debug + Send {
    /// Returns its length.
    ///
    /// # Errors
    /// As the file system reports.
    fn size(&self) -> io::Result<u64>;
    /// Reserves blocks for, and extends the file to, this length; where the file system cannot
    /// reserve, it only extends.
    ///
    /// # Errors
    /// As the file system reports; [`io::ErrorKind::StorageFull`] when there is no room.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Reads some bytes.
    ///
    /// # Errors
    /// As the file system reports.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some bytes.
    ///
    /// # Errors
    /// As the file system reports.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize>;
    /// Cuts the file to a length.
    ///
    /// # Errors
    /// As the file system reports.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the content durable.
    ///
    /// # Errors
    /// As the file system reports; what was written before is then in doubt.
    fn sync_data(&self) -> io::Result<()>;
    /// Returns whether it still has a name in some folder.
    ///
    /// # Errors
    /// As the file system reports.
    fn is_linked(&self) -> io::Result<bool>;
    /// Takes the file's lock, unless another process has it. It is held until the file is closed.
    ///
    /// # Errors
    /// As the file system reports.
    fn try_lock(&self) -> io::Result<bool>;
}

/// The machine's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    type File = File;

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if let (true, Ok(name)) = (meta.is_file(), entry.file_name().into_string()) {
                entries.push(DirEntry {
                    name,
                    len: meta.len(),
                });
            }
        }
        Ok(entries)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(mode != OpenMode::Read)
            .create_new(mode == OpenMode::CreateNew)
            .create(mode == OpenMode::Create)
            .truncate(false)
            .mode(0o600)
            .open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        loop {
            match fallocate(self, FallocateFlags::empty(), 0, len) {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Self::set_len(self, len),
                other => return Ok(other?),
            }
        }
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, buf, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn is_linked(&self) -> io::Result<bool> {
        Ok(self.metadata()?.nlink() > 0)
    }

    fn try_lock(&self) -> io::Result<bool> {
        match Self::try_lock(self) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Returns whether a file is damaged, as far as its file system reports: reading it again is of no use.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::IO | Errno::UCLEAN | Errno::BADMSG)
    )
}

/// Reads until the buffer is full or the file ends; gives how much it read.
pub(super) fn read_full<F: DiskFile>(file: &F, buf: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], at + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all of it.
pub(super) fn write_full<F: DiskFile>(file: &F, mut buf: &[u8], mut at: u64) -> io::Result<()> {
    while !buf.is_empty() {
        match file.write_at(buf, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                buf = &buf[n..];
                at += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
