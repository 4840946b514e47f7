//! Files of a process that stay open from tick to tick.
//!
//! To open a file of procfs by its path, and to close it, costs the kernel more than to read it. So
//! `/proc/PID/stat` and the directory `/proc/PID/fd` stay open as long as the process lives, from the
//! second tick in which it is seen on: most short-lived processes are not seen twice.
//!
//! An open file belongs to the process, not to its number. Once the process is gone, reading it gives
//! `ESRCH` for ever, whoever has the number by then; the path leads to the new one. So a number that was
//! given again is never taken for the process before.
//!
//! Each open file also holds a page of kernel memory, the buffer it is written into. Hence no more than
//! [`OPEN_MAX`] descriptors are kept, however many the caller allows; processes beyond are read by their
//! paths.

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

use crate::read::Tree;

/// Descriptors that are kept at most: those of 1,024 processes, with some 4 MiB of kernel memory.
const OPEN_MAX: usize = 2048;
/// Descriptors kept for one process.
const PER_PROCESS: usize = 2;

/// The open files of one process.
#[derive(Debug)]
pub(super) struct OpenFiles {
    /// `/proc/PID/stat`.
    pub(super) stat: OwnedFd,
    /// `/proc/PID/fd`, where its size is the number of descriptors and this user may ask.
    fd_directory: Option<OwnedFd>,
}

impl OpenFiles {
    /// Keeps `stat` and opens the directory of descriptors at `path`.
    pub(super) fn keep(stat: OwnedFd, proc: &mut Tree, path: &str) -> Self {
        Self {
            stat,
            fd_directory: proc.open_directory(path).ok(),
        }
    }

    /// Returns the size of the open directory of descriptors; `None` where it is not open.
    pub(super) fn fd_directory_size(&self) -> Option<Result<i64, Errno>> {
        let directory = self.fd_directory.as_ref()?;
        Some(rustix::fs::fstat(directory.as_fd()).map(|stat| stat.st_size))
    }
}

/// How many descriptors may be kept, and how many are.
#[derive(Debug, Default)]
pub(super) struct Budget {
    allowed: usize,
    used: usize,
}

impl Budget {
    /// Allows so many descriptors, or [`OPEN_MAX`] if that is less.
    pub(super) fn allow(&mut self, descriptors: usize) {
        self.allowed = descriptors.min(OPEN_MAX);
    }

    /// Counts what is open at the beginning of a tick, for so many processes.
    pub(super) fn count(&mut self, processes: usize) {
        self.used = processes * PER_PROCESS;
    }

    /// Takes the descriptors of one more process, if there is room for them.
    pub(super) fn take(&mut self) -> bool {
        let is_room = self.used + PER_PROCESS <= self.allowed;
        if is_room {
            self.used += PER_PROCESS;
        }
        is_room
    }
}
