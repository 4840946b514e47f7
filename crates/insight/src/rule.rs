//! Rules as data. A judge consists of its rules and the conditions under which they have findings.

use schema::finding::{Figures, Kind};
use schema::{Finding, Severity};

/// What absent data mean for an open finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoData {
    /// Whether it holds on is unknown; it stays open.
    Keep,
    /// It holds on: the absence is the condition.
    Alert,
    /// It has ended: what it was about is gone.
    Clear,
}

/// The times in the life of a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// For so many seconds the condition must hold before a finding is confirmed. 0: at once.
    pub confirm_secs: u32,
    /// A finding is resolved after so many evaluations in a row that did not find it …
    pub clear_evaluations: u32,
    /// … and not before it was seen last so many seconds ago.
    pub clear_secs: u32,
    /// What absent data mean.
    pub no_data: NoData,
}

impl Life {
    /// Returns the life of a condition that is evaluated with every sample: it must hold for `confirm_secs`, and has
    /// ended when two samples in a row are good. One good sample may be chance.
    #[must_use]
    pub const fn sampled(confirm_secs: u32) -> Self {
        Self {
            confirm_secs,
            clear_evaluations: 2,
            clear_secs: 0,
            no_data: NoData::Keep,
        }
    }

    /// Returns the life of a condition over counted events: it holds at once, and has ended when the last event was
    /// `clear_secs` ago.
    #[must_use]
    pub const fn counted(clear_secs: u32) -> Self {
        Self {
            confirm_secs: 0,
            clear_evaluations: 1,
            clear_secs,
            no_data: NoData::Keep,
        }
    }

    /// Sets what absent data mean.
    #[must_use]
    pub const fn no_data(self, no_data: NoData) -> Self {
        Self { no_data, ..self }
    }
}

/// A condition that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Identifier, stable: `collector.findings.rule`.
    pub id: &'static str,
    /// Alert, insight or recommendation.
    pub kind: Kind,
    /// Part of the system.
    pub domain: &'static str,
    /// The condition, without figures.
    pub title: &'static str,
    /// When its findings are confirmed and resolved.
    pub life: Life,
    /// Rules whose findings explain those of this one, where they concern the same subject.
    pub because: &'static [&'static str],
}

impl Rule {
    /// Returns a finding of this rule; the caller adds further fields.
    #[must_use]
    pub fn finding(&self, target: &str, severity: Severity, message: String) -> Finding {
        Finding {
            rule: self.id,
            target: target.to_owned(),
            kind: self.kind,
            domain: self.domain,
            severity,
            title: self.title.to_owned(),
            message,
            steps: Vec::new(),
            command: None,
            action_sql: None,
            metric: None,
            metric_key: None,
            figures: Figures::default(),
            details: None,
            stands_alone: false,
            is_gradual: false,
            explains: Vec::new(),
            since: None,
            span: None,
        }
    }
}
