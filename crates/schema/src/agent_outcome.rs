//! How a run of the agent ended.

/// How a run of the agent ended, as `collector.agent_runs.outcome` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentOutcome {
    /// It was stopped and closed its run.
    Stopped,
    /// It ended without closing its run: it crashed, was killed, or lost the database for good.
    Vanished,
}

impl AgentOutcome {
    /// Returns the word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Vanished => "vanished",
        }
    }
}
