//! The level of a log line.

/// The level of a log line. Finer grades of a source are kept in the event's context as `severity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Diagnostics.
    Debug,
    /// Normal operation; also where a source reports no level.
    #[default]
    Info,
    /// A possible fault.
    Warn,
    /// A fault.
    Error,
}

impl LogLevel {
    /// Every level, the most severe last.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the word stored in `collector.log_entries.level`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Parses what [`LogLevel::as_str`] returns.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}
