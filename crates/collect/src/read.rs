//! Reading small files below one directory, again and again, at the least cost.
//!
//! A [`Tree`] holds a descriptor of its root and one buffer. A read is `openat`, `pread`, `close`
//! on paths relative to the root; nothing is allocated once the buffer has grown to the largest
//! file. Paths are given as `&str` and are short, so that rustix makes C strings of them on the
//! stack. Files that are read in every tick may be kept open by the caller ([`Tree::open`],
//! [`Tree::reread`]): the kernel writes files of procfs anew for each read from their beginning.

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom, Stat, openat};
use rustix::io::Errno;

use crate::CollectError;

/// First size of a buffer: more than any single-record file and most others.
const BUFFER_START: usize = 16 * 1024;
/// No file is read beyond this: mountinfo of 10,000 mounts is about 1.5 MiB.
const BUFFER_MAX: usize = 16 * 1024 * 1024;
/// Room for directory entries: about 1,000 of `/proc` at once.
const ENTRIES: usize = 32 * 1024;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// One directory tree that is read over and over.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    dir: Option<OwnedFd>,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read last.
    filled: usize,
    entries: Vec<u8>,
}

impl Tree {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            dir: None,
            buffer: Vec::new(),
            filled: 0,
            entries: Vec::new(),
        }
    }

    /// Returns the full path of a file of the tree, for errors.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Makes an error about a file of the tree.
    pub(crate) fn error(&self, path: &str, source: Errno) -> CollectError {
        CollectError::read(self.path(path), source)
    }

    /// Opens the root again at the next read: it has been mounted anew.
    pub(crate) fn reopen(&mut self) {
        self.dir = None;
    }

    /// Reads the whole file, however many reads it takes.
    pub(crate) fn read(&mut self, path: &str) -> Result<&[u8], Errno> {
        let file = self.open(path)?;
        self.fill(file.as_fd(), false)?;
        Ok(self.text())
    }

    /// Reads a file that the kernel writes in one piece, as `/proc/PID/stat`: one read unless it
    /// fills the buffer.
    pub(crate) fn read_record(&mut self, path: &str) -> Result<&[u8], Errno> {
        let file = self.open(path)?;
        self.reread(file.as_fd())?;
        Ok(self.text())
    }

    /// Opens a file of the tree to be read more than once.
    pub(crate) fn open(&mut self, path: &str) -> Result<OwnedFd, Errno> {
        let root = root_of(&mut self.dir, &self.root)?;
        openat(root, path, FILE, Mode::empty())
    }

    /// Opens a directory of the tree to be asked more than once.
    pub(crate) fn open_directory(&mut self, path: &str) -> Result<OwnedFd, Errno> {
        let root = root_of(&mut self.dir, &self.root)?;
        openat(root, path, DIRECTORY, Mode::empty())
    }

    /// Reads an open file as [`Tree::read_record`] does; [`Tree::text`] then returns it.
    pub(crate) fn reread(&mut self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        self.fill(file, true)
    }

    /// Returns what was read last.
    pub(crate) fn text(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn fill(&mut self, file: BorrowedFd<'_>, one_record: bool) -> Result<(), Errno> {
        self.filled = 0;
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER_START, 0);
        }
        loop {
            if self.filled == self.buffer.len() {
                if self.filled >= BUFFER_MAX {
                    break;
                }
                self.buffer.resize(self.filled * 2, 0);
            }
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let wanted = room.len();
            let got = match rustix::io::pread(file, room, self.filled as u64) {
                Ok(got) => got,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            self.filled += got;
            if got == 0 || (one_record && got < wanted) {
                break;
            }
        }
        Ok(())
    }

    /// Returns the file system's status of a path.
    pub(crate) fn stat(&mut self, path: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(
            root_of(&mut self.dir, &self.root)?,
            path,
            rustix::fs::AtFlags::empty(),
        )
    }

    /// Calls `each` with name and inode number of every entry of the root itself.
    pub(crate) fn list_root(&mut self, each: impl FnMut(&[u8], u64)) -> Result<(), Errno> {
        let dir = root_of(&mut self.dir, &self.root)?;
        rustix::fs::seek(dir, SeekFrom::Start(0))?;
        list(dir, &mut self.entries, each)
    }

    /// Calls `each` with name and inode number of every entry of a directory of the tree.
    pub(crate) fn list(&mut self, path: &str, each: impl FnMut(&[u8], u64)) -> Result<(), Errno> {
        let dir = openat(
            root_of(&mut self.dir, &self.root)?,
            path,
            DIRECTORY,
            Mode::empty(),
        )?;
        list(dir.as_fd(), &mut self.entries, each)
    }
}

/// Returns the root, opened at the first use and kept.
fn root_of<'a>(dir: &'a mut Option<OwnedFd>, root: &Path) -> Result<BorrowedFd<'a>, Errno> {
    let open = match dir.take() {
        Some(open) => open,
        None => rustix::fs::open(root, DIRECTORY, Mode::empty())?,
    };
    let open: &'a OwnedFd = dir.insert(open);
    Ok(open.as_fd())
}

fn list(
    dir: BorrowedFd<'_>,
    entries: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], u64),
) -> Result<(), Errno> {
    entries.reserve(ENTRIES);
    let mut dir = RawDir::new(dir, entries.spare_capacity_mut());
    while let Some(entry) = dir.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, entry.ino());
        }
    }
    Ok(())
}
