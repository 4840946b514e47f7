//! Attributes of a file.

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Statx, StatxFlags, StatxTimestamp};
use rustix::io::Errno;

/// Attributes of a file at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Device; may differ after a restart of the machine.
    pub dev: u64,
    /// Inode number; used again for another file once this one is gone.
    pub ino: u64,
    /// Time of birth of the inode, nanoseconds since the epoch; 0 where the file system does not report it.
    pub born: i64,
    /// Bytes.
    pub size: u64,
    /// Last written, nanoseconds since the epoch.
    pub mtime: i64,
    /// Names the file has; 0 once it is deleted.
    pub links: u32,
    /// Owner.
    pub uid: u32,
    /// Type and permissions.
    pub mode: u32,
}

impl Stat {
    /// Returns what `path` leads to, through symbolic links.
    pub(super) fn of(path: &Path) -> Result<Self, Errno> {
        rustix::fs::statx(CWD, path, AtFlags::empty(), WANTED).map(Self::from)
    }

    /// Returns what `name` is in a directory; a symbolic link is itself.
    pub(super) fn at(dir: BorrowedFd<'_>, name: &Path) -> Result<Self, Errno> {
        rustix::fs::statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, WANTED).map(Self::from)
    }

    /// Returns an open file.
    pub(super) fn of_open(file: &File) -> Result<Self, Errno> {
        rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, WANTED).map(Self::from)
    }

    /// Returns the attributes of an open file.
    pub(super) fn of_fd(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, WANTED).map(Self::from)
    }

    /// Returns the device as `stat(2)` numbers it.
    pub(super) fn raw_dev(&self) -> u64 {
        rustix::fs::makedev((self.dev >> 32) as u32, self.dev as u32)
    }

    /// Returns an open directory.
    pub(super) fn of_dir(dir: BorrowedFd<'_>) -> Result<Self, Errno> {
        rustix::fs::statx(dir, c"", AtFlags::EMPTY_PATH, WANTED).map(Self::from)
    }

    /// Returns what kind of file.
    pub(super) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }

    /// Returns whether it can be read like a log.
    pub(super) fn is_regular(&self) -> bool {
        self.kind() == FileType::RegularFile
    }

    /// Returns whether both are of one file. The time of birth, if it is known, distinguishes a file from
    /// its successor with the same number, and is the same after a restart of the machine.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        is_same(
            (self.dev, self.ino, self.born),
            (other.dev, other.ino, other.born),
        )
    }
}

/// Returns whether two (device, inode, birth) mean one file.
pub(super) fn is_same(one: (u64, u64, i64), other: (u64, u64, i64)) -> bool {
    if one.2 != 0 && other.2 != 0 {
        one.1 == other.1 && one.2 == other.2
    } else {
        one.0 == other.0 && one.1 == other.1
    }
}

const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);

impl From<Statx> for Stat {
    fn from(raw: Statx) -> Self {
        Self {
            dev: u64::from(raw.stx_dev_major) << 32 | u64::from(raw.stx_dev_minor),
            ino: raw.stx_ino,
            born: if StatxFlags::from_bits_retain(raw.stx_mask).contains(StatxFlags::BTIME) {
                nanos(raw.stx_btime)
            } else {
                0
            },
            size: raw.stx_size,
            mtime: nanos(raw.stx_mtime),
            links: raw.stx_nlink,
            uid: raw.stx_uid,
            mode: u32::from(raw.stx_mode),
        }
    }
}

fn nanos(at: StatxTimestamp) -> i64 {
    at.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(i64::from(at.tv_nsec))
}
