//! Rules as data.

use crate::logs;
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

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let advice = logs::advice::ADVICE.iter().map(|advice| &advice.rule);
    logs::RULES
        .iter()
        .chain(advice)
        .chain([&logs::advice::RECURRING.rule])
}

/// The rule of this identifier; `None` when this version has none.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_and_titles_hold_no_figures() {
        let all: Vec<&Rule> = rules().collect();
        for (place, one) in all.iter().enumerate() {
            assert!(all.iter().skip(place + 1).all(|other| other.id != one.id));
            assert!(!one.title.chars().any(|c| c.is_ascii_digit()), "{}", one.id);
            assert!(one.hold_secs > 0, "{}", one.id);
            assert!(logs::DOMAINS.contains(&one.domain), "{}", one.id);
            assert_eq!(rule(one.id), Some(*one));
        }
    }
}
