//! Conclusions from stored data.

use crate::{Severity, Timestamp};

/// The kind of a finding. All kinds have the same life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A problem that needs action.
    Alert,
    /// Worth knowing.
    Insight,
    /// Advice.
    Recommendation,
}

impl Kind {
    /// Returns the word stored in `collector.findings.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Insight => "insight",
            Self::Recommendation => "recommendation",
        }
    }
}

/// The conclusion of a rule about a target at an instant, identified by rule and target.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Identifier of the rule.
    pub rule: &'static str,
    /// What it is about: a source, a pattern, an address.
    pub target: String,
    /// Its kind.
    pub kind: Kind,
    /// Part of the system.
    pub domain: &'static str,
    /// Info, warning or critical.
    pub severity: Severity,
    /// The condition, without figures, so that it is the same at each recurrence.
    pub title: String,
    /// The observation, with figures.
    pub message: String,
    /// Steps to take, in order; commands are between backticks.
    pub steps: Vec<String>,
    /// The measured value.
    pub value: Option<f64>,
    /// The expected value.
    pub expected: Option<f64>,
    /// How unlikely the value is: -log10 of the probability.
    pub score: Option<f64>,
    /// Further details: a JSON object.
    pub details: Option<String>,
    /// Times of the first and the last event that it counts; `None` where it concerns the instant of the
    /// evaluation.
    pub span: Option<(Timestamp, Timestamp)>,
}
