//! What was concluded from what is stored.

use crate::{Severity, Timestamp};

/// What a finding asks of its reader. All kinds live alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody has to act.
    Alert,
    /// Worth knowing.
    Insight,
    /// Says what to do.
    Recommendation,
}

impl Kind {
    /// As `collector.findings.kind` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Insight => "insight",
            Self::Recommendation => "recommendation",
        }
    }
}

/// What a rule says of a target at an instant. Rule and target tell it apart from every other.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Identifier of the rule.
    pub rule: &'static str,
    /// What it is about: a source, a pattern, an address.
    pub target: String,
    /// What it asks.
    pub kind: Kind,
    /// Part of the system.
    pub domain: &'static str,
    /// Info, warning or critical.
    pub severity: Severity,
    /// What is wrong, without figures: it reads the same each time it comes back.
    pub title: String,
    /// What was seen, with figures.
    pub message: String,
    /// What to do, in this order; commands stand between backticks.
    pub steps: Vec<String>,
    /// What was measured.
    pub value: Option<f64>,
    /// What was to be expected.
    pub expected: Option<f64>,
    /// How odd that is: -log10 of the probability.
    pub score: Option<f64>,
    /// More about it: a JSON object.
    pub details: Option<String>,
    /// Times of the first and the last of what it is about; `None` where it is about the instant at which
    /// it was looked at.
    pub span: Option<(Timestamp, Timestamp)>,
}
