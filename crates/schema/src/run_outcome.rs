//! How a collector's run ended.

/// How a run of a collector ended, as `collector.collector_runs_raw.outcome` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// It returned what there is. An error beside it names what is permanently left out: what this user
    /// may not read, or what is too much.
    Ok,
    /// There was nothing to return.
    NoData,
    /// It failed, wholly or in part.
    Failed,
    /// It, or a service that it queried, timed out.
    Timeout,
}

impl RunOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Ok, Self::NoData, Self::Failed, Self::Timeout];

    /// Returns the stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoData => "no_data",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
        }
    }

    /// Parses what [`RunOutcome::as_str`] returns.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Returns whether the run failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout)
    }
}
