//! Conclusions from stored data.

use crate::{Severity, Timestamp};

/// The domains of findings about lines of logs, which no metric has: their figures are counts of lines, and their titles
/// name the kind of event. Those of any other finding are domains of metrics.
pub const LINE_DOMAINS: &[&str] = &["logs", "security"];

/// The domain, and the rule, of findings about problems that began together. No metric has it.
pub const CORRELATION: &str = "correlation";

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
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Insight, Self::Recommendation];

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

/// A step in the life of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Its condition holds for the first time, or again.
    Opened,
    /// The condition has held for as long as its rule asks for.
    Confirmed,
    /// The severity rose.
    Worse,
    /// The severity fell.
    Better,
    /// It holds on; the figures are new.
    Refreshed,
    /// There are no data to tell whether it holds on.
    Unknown,
    /// The condition has ended.
    Resolved,
}

impl Transition {
    /// Every transition, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::Confirmed,
        Self::Worse,
        Self::Better,
        Self::Refreshed,
        Self::Unknown,
        Self::Resolved,
    ];

    /// Returns the word stored in `collector.finding_transitions_raw.transition`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Confirmed => "confirmed",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Refreshed => "refreshed",
            Self::Unknown => "unknown",
            Self::Resolved => "resolved",
        }
    }

    /// Parses what [`Transition::as_str`] returns.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// The figures of a finding; those that its rule does not have are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The value that was evaluated.
    pub value: Option<f64>,
    /// The value of the newest sample, where another one was evaluated: a mean over a window.
    pub current: Option<f64>,
    /// The threshold that was reached.
    pub threshold: Option<f64>,
    /// The expected value.
    pub expected: Option<f64>,
    /// The standard deviation of what is expected.
    pub stddev: Option<f64>,
    /// How many standard deviations the value lies from what is expected.
    pub z_score: Option<f64>,
    /// How far the value lies from what is expected, percent.
    pub drift_pct: Option<f64>,
    /// How unlikely the value is: -log10 of the probability.
    pub score: Option<f64>,
}

impl Figures {
    /// Returns a value without anything to compare it with.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
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
    /// A shell command that helps, to copy.
    pub command: Option<String>,
    /// SQL that helps, to copy.
    pub action_sql: Option<String>,
    /// The metric that it is about, `domain.name`, where it is about one.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// Its figures.
    pub figures: Figures,
    /// Further details: a JSON object.
    pub details: Option<String>,
    /// Whether nothing else explains it, whatever its rule allows.
    pub stands_alone: bool,
    /// Whether it came about over hours, so that when it was found says nothing about when it began.
    pub is_gradual: bool,
    /// Rule and target of the findings that follow from it, beside those whose rules name it.
    pub explains: Vec<(&'static str, String)>,
    /// Since when the condition is known to hold; `None`: since it was found.
    pub since: Option<Timestamp>,
    /// Times of the first and the last event that it counts; `None` where it concerns the instant of the
    /// evaluation.
    pub span: Option<(Timestamp, Timestamp)>,
}
