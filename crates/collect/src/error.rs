//! The one error of this crate.

use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

/// What a collector could not do, and on what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A file or directory could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        source: Errno,
    },
    /// A file was read and does not hold what it must.
    #[error("{} holds no {what}", path.display())]
    Malformed {
        /// What was read.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// A part of the figures is closed to this user; the other figures hold. Lasts until the
    /// installation changes, so that it is not a failure of a run.
    #[error("{what}: permission denied")]
    Denied {
        /// What is closed, of how many, and what would open it.
        what: String,
    },
    /// There are more than rows are made for; the first ones make rows.
    #[error("{found} {what} found, rows made for the first {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many make rows.
        limit: usize,
    },
    /// A database server could not be asked, or gave no answer to anything.
    #[error(transparent)]
    Server(#[from] Box<pg::PgError>),
    /// A database server answered, but not to everything; what fixes each gap is in
    /// `db_blind_spots_raw`.
    #[error("{families} not to be seen")]
    Unseen {
        /// Families of statistics, with their databases.
        families: String,
    },
    /// Something did not answer in time.
    #[error("{what} gave no answer within {} ms", deadline.as_millis())]
    Unanswered {
        /// Who did not answer.
        what: String,
        /// How long it was waited for.
        deadline: Duration,
    },
}

impl CollectError {
    pub(crate) fn read(path: impl Into<PathBuf>, source: Errno) -> Self {
        Self::Read {
            path: path.into(),
            source,
        }
    }
}
