//! Open findings of severity warning or worse, as problems.
//!
//! A problem begins when its finding was opened, and its fix is the first step of the finding. Of many
//! findings of one rule the worst is named and the others are counted, so that a botnet is one attack
//! rather than a page of addresses.

use schema::{Severity, Timestamp};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::data::about;
use super::titles::cut;
use crate::hosts::Host;
use crate::wire::now::Problem;

/// Findings read of one rule: two are both named, of more only the worst.
const READ: i64 = 2;

/// The part of a finding that becomes a problem.
struct Finding {
    rule: String,
    target: String,
    severity: Severity,
    title: String,
    steps: Vec<String>,
    fingerprint: Option<String>,
    template: Option<String>,
    opened: Timestamp,
    /// Number of further findings of its rule that were not read.
    more: i64,
}

impl Finding {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            severity: Severity::parse(row.try_get("severity")?).unwrap_or(Severity::Info),
            title: row.try_get("title")?,
            steps: row.try_get("steps")?,
            fingerprint: row.try_get("fingerprint")?,
            template: row.try_get("template")?,
            opened: row.try_get::<_, Instant>("opened_at")?.0,
            more: row.try_get("more")?,
        })
    }

    /// Formats a title such as `Password guessing over SSH: 203.0.113.9`. Patterns are named by their
    /// template; a subject that the title contains is not repeated.
    fn named(&self) -> String {
        let subject = self.subject();
        if subject.is_empty() || self.title.contains(subject) {
            return self.title.clone();
        }
        format!("{}: {}", self.title, cut(subject))
    }

    /// Returns the subject in words; empty when only a fingerprint is known.
    fn subject(&self) -> &str {
        let is_pattern = self.fingerprint.as_ref() == Some(&self.target);
        match &self.template {
            Some(template) if is_pattern => template,
            _ if is_pattern => "",
            _ => &self.target,
        }
    }

    fn problem(self, title: String, id: &str) -> Problem {
        let (fix, command) = apart(self.steps.first().cloned().unwrap_or_default());
        Problem {
            title,
            key: Some(self.target),
            since_ms: Some(self.opened.as_millis()),
            fix,
            command,
            ..about(id, self.severity, "logs")
        }
    }
}

/// Splits a step that ends with its only command into the text before it and the command to copy.
fn apart(step: String) -> (String, String) {
    let parts: Vec<&str> = step.split('`').collect();
    match parts.as_slice() {
        [words, command, "" | "."] if !words.trim().is_empty() => {
            ((*words).trim_end().to_owned(), (*command).to_owned())
        }
        _ => (step, String::new()),
    }
}

/// Reads the open findings of a host that are warnings or worse.
pub(super) async fn findings(client: &Client, host: &Host) -> Result<Vec<Problem>, ReadError> {
    let params = [
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&READ, Type::INT8),
    ];
    let fault = |source| ReadError::new("findings", source);
    let rows = client.query_typed(include_str!("../sql/open_findings.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let found = rows
        .iter()
        .map(Finding::of)
        .collect::<Result<Vec<_>, _>>()
        .map_err(fault)?;
    Ok(fold(found))
}

/// Converts findings into problems, in the same order.
fn fold(found: Vec<Finding>) -> Vec<Problem> {
    let mut problems = Vec::with_capacity(found.len());
    let mut rule = String::new();
    for finding in found {
        let is_first = finding.rule != rule;
        rule.clone_from(&finding.rule);
        if is_first || finding.more == 0 {
            let id = format!("finding.{}@{}", finding.rule, finding.target);
            let title = finding.named();
            problems.push(finding.problem(title, &id));
        } else {
            let id = format!("finding.{}+", finding.rule);
            let worst = match finding.subject() {
                "" => String::new(),
                subject => format!(", the worst {}", cut(subject)),
            };
            let title = format!("{}: {} more{worst}", finding.title, finding.more + 1);
            let rest = finding.problem(title, &id);
            problems.push(Problem {
                key: None,
                since_ms: None,
                ..rest
            });
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(target: &str, more: i64) -> Finding {
        Finding {
            rule: "ssh_brute_force".to_owned(),
            target: target.to_owned(),
            severity: Severity::Critical,
            title: "Password guessing over SSH".to_owned(),
            steps: vec!["Block it.".to_owned()],
            fingerprint: None,
            template: None,
            opened: Timestamp::from_millis(5),
            more,
        }
    }

    fn titles(found: Vec<Finding>) -> Vec<String> {
        let problems = fold(found).into_iter();
        problems.map(|problem| problem.title).collect()
    }

    #[test]
    fn one_and_two_are_named_and_of_more_the_worst_alone() {
        let title = "Password guessing over SSH";
        assert_eq!(
            titles(vec![finding("10.0.0.1", 0)]),
            [format!("{title}: 10.0.0.1")]
        );
        assert_eq!(
            titles(vec![finding("10.0.0.1", 1), finding("10.0.0.2", 0)]),
            [format!("{title}: 10.0.0.1"), format!("{title}: 10.0.0.2")]
        );
        let many = fold(vec![finding("10.0.0.1", 40), finding("10.0.0.2", 39)]);
        assert_eq!(many[0].id, "finding.ssh_brute_force@10.0.0.1");
        assert_eq!(many[1].id, "finding.ssh_brute_force+");
        assert_eq!(
            many[1].title,
            format!("{title}: 40 more, the worst 10.0.0.2")
        );
        assert_eq!(many[1].key, None);
    }

    #[test]
    fn a_command_at_the_end_of_a_step_stands_apart() {
        for (step, words, command) in [
            ("Block it: `a b`.", "Block it:", "a b"),
            ("Block it: `a` or `b`", "Block it: `a` or `b`", ""),
            ("Read it", "Read it", ""),
            ("`a`", "`a`", ""),
        ] {
            assert_eq!(
                apart(step.to_owned()),
                (words.to_owned(), command.to_owned())
            );
        }
    }

    #[test]
    fn a_title_names_what_helps_and_nothing_twice() {
        let named = |title: &str, target: &str, template: Option<&str>| {
            let is_pattern = target.len() == 16;
            let finding = Finding {
                title: title.to_owned(),
                template: template.map(str::to_owned),
                fingerprint: is_pattern.then(|| target.to_owned()),
                ..finding(target, 0)
            };
            finding.named()
        };
        for (title, target, template, expected) in [
            ("More errors", "nginx", None, "More errors: nginx"),
            (
                "More errors in nginx",
                "nginx",
                None,
                "More errors in nginx",
            ),
            ("New error", "aaaaaaaaaaaaaaaa", None, "New error"),
            (
                "New error",
                "aaaaaaaaaaaaaaaa",
                Some("disk <*> failed"),
                "New error: disk <*> failed",
            ),
            // The template does not belong in the title of a finding about a source.
            (
                "More errors",
                "app",
                Some("disk <*> failed"),
                "More errors: app",
            ),
            ("New errors", "", None, "New errors"),
        ] {
            assert_eq!(named(title, target, template), expected);
        }
        assert_eq!(
            named("More errors", &"x".repeat(90), None).chars().count(),
            "More errors: ".len() + 60
        );
    }
}
