//! How a source fares.

/// Status of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is read.
    #[default]
    Ok,
    /// It is read with fewer files open than it has; see its cause.
    Limited,
    /// There is nothing of that name; no fault where the program is not in use.
    Missing,
    /// The collector may not read it.
    Denied,
    /// It is not a plain log; reading it could lead to another file.
    Unsafe,
    /// The system gave an error.
    Failed,
}

impl Status {
    /// Every status, the most severe last.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Limited,
        Self::Missing,
        Self::Denied,
        Self::Unsafe,
        Self::Failed,
    ];

    /// Returns the word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Limited => "limited",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Unsafe => "unsafe",
            Self::Failed => "failed",
        }
    }
}

/// How a source fares, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Status.
    pub status: Status,
    /// What was attempted, on what, and the remedy; empty when all is well.
    pub cause: String,
    /// Bytes that wait to be read; of compressed files as they lie there. 0 for the journal.
    pub backlog_bytes: u64,
    /// Files that are followed, or 1 for a journal that is read.
    pub streams: u32,
}

impl State {
    /// Returns a state without anything to read.
    #[must_use]
    pub fn new(status: Status, cause: String) -> Self {
        Self {
            status,
            cause,
            ..Self::default()
        }
    }
}
