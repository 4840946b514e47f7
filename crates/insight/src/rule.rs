//! Rules as data. An evaluator consists of its rules and the conditions under which they have findings.

use schema::finding::{Figures, Kind};
use schema::{Finding, Severity};

/// A condition that is reported, and when its findings resolve.
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
    /// A finding resolves so many seconds after the last line or sample that it is about.
    pub resolve_after_secs: i64,
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
            span: None,
        }
    }
}
