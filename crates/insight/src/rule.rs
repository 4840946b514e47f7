//! Rules as data: what the evaluators below the registry are made of.

use schema::finding::Kind;
use schema::{Finding, Severity};

/// When to say something: what it is, and for how long it stays said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Identifier, stable: `collector.findings.rule`.
    pub id: &'static str,
    /// What it asks of its reader.
    pub kind: Kind,
    /// Part of the system.
    pub domain: &'static str,
    /// What is wrong, without figures.
    pub title: &'static str,
    /// So many seconds after the last of what it is about a finding is over.
    pub hold_secs: i64,
}

impl Rule {
    /// A finding of this rule; what else there is to say is added by the caller.
    #[must_use]
    pub fn says(&self, target: &str, severity: Severity, message: String) -> Finding {
        Finding {
            rule: self.id,
            target: target.to_owned(),
            kind: self.kind,
            domain: self.domain,
            severity,
            title: self.title.to_owned(),
            message,
            steps: Vec::new(),
            value: None,
            expected: None,
            score: None,
            details: None,
            span: None,
        }
    }
}
