//! Errors of the spool.

use std::io;
use std::path::{Path, PathBuf};

use schema::Class;

/// An error of the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system refused.
    #[error("{action} {path}")]
    Io {
        /// The attempt, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process has the spool open.
    #[error("spool {path} is in use by process {pid}")]
    Busy {
        /// The folder.
        path: PathBuf,
        /// The holder's process id, `unknown` when its lock file does not have it.
        pid: String,
    },
    /// The folder was written by a newer version of this program.
    #[error(
        "{path} has spool format {found}, this version reads up to {supported}; \
         start the version that wrote it, or move the folder away to begin an empty spool"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The version it states.
        found: u32,
        /// The newest version that is understood here.
        supported: u32,
    },
    /// The options contradict each other.
    #[error("spool budget of {budget} bytes is below its minimum of {minimum}")]
    Budget {
        /// The requested budget.
        budget: u64,
        /// Four segments.
        minimum: u64,
    },
    /// One record does not fit a segment: split it.
    #[error("{} record of {bytes} bytes exceeds {limit}", class.as_str())]
    TooLarge {
        /// Its class.
        class: Class,
        /// Its size, compressed unless that would not have helped.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The record is not stored: two files refused it, or a pause after that is not over. The
    /// caller keeps it in memory; the next append tries again.
    #[error("spool is down for {} records", class.as_str())]
    Down {
        /// Its class.
        class: Class,
        /// The refusal; absent during the pause.
        #[source]
        source: Option<Box<Self>>,
    },
    /// The budget is full, and no segment of equal or lower class can be given up.
    #[error("spool budget of {budget} bytes leaves no room for {} records", class.as_str())]
    Full {
        /// The class that asked.
        class: Class,
        /// The budget.
        budget: u64,
    },
}

/// A place of the queue that has no file.
#[cfg(debug_assertions)]
impl From<io::Error> for SpoolError {
    fn from(source: io::Error) -> Self {
        Self::io("write", Path::new("the queue"))(source)
    }
}

impl SpoolError {
    /// Wraps an I/O error with the attempt and its path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Returns whether a newer version wrote the folder, which no later try of this one opens.
    #[must_use]
    pub const fn is_newer_format(&self) -> bool {
        matches!(self, Self::NewerFormat { .. })
    }

    /// Returns whether the disk or the quota is full, which may have passed at a later try.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Down {
                source: Some(source),
                ..
            } => source.is_no_space(),
            _ => false,
        }
    }
}
