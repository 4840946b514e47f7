//! Findings as they are shown: the one list of the dashboard's table and of `pqcrypta alerts`.

use schema::{Severity, Timestamp, Unit};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::series::{Instant, ReadError};

/// Whether a finding lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The condition holds.
    Firing,
    /// There are no data to tell whether it still holds.
    Unknown,
    /// It ended.
    Resolved,
}

impl State {
    /// Returns its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Unknown => "unknown",
            Self::Resolved => "resolved",
        }
    }
}

/// A confirmed finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Its rule; of a threshold the metric.
    pub rule: String,
    /// What it is about.
    pub target: String,
    /// `alert`, `insight` or `recommendation`.
    pub kind: String,
    /// Part of the system.
    pub domain: String,
    /// The metric.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// Its severity; of a resolved one the last.
    pub severity: Severity,
    /// The worst severity since it was opened.
    pub worst: Severity,
    /// The condition, without figures.
    pub title: String,
    /// The condition, with figures.
    pub message: String,
    /// Steps to take.
    pub steps: Vec<String>,
    /// A shell command that helps.
    pub command: Option<String>,
    /// SQL that helps.
    pub action_sql: Option<String>,
    /// The value that was evaluated.
    pub value: Option<f64>,
    /// The value of the newest sample, where another one was evaluated.
    pub current: Option<f64>,
    /// The threshold that was reached.
    pub threshold: Option<f64>,
    /// The expected value.
    pub expected: Option<f64>,
    /// Who is to blame: a session, a process, an endpoint.
    pub culprit: Option<String>,
    /// Rule and target of the finding that it follows from.
    pub because: Option<(String, String)>,
    /// The log with its lines.
    pub source: Option<String>,
    /// Fingerprint of the lines it is about.
    pub fingerprint: Option<String>,
    /// Template of these lines.
    pub template: Option<String>,
    /// Since when the condition holds.
    pub opened_at: Timestamp,
    /// When it held last.
    pub seen_at: Timestamp,
    /// Since when there are no data.
    pub unknown_since: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// How often it began, continued or returned.
    pub occurrences: i64,
}

impl Alert {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| row.try_get::<_, Instant>(column).map(|at| at.0);
        let optional = |column| {
            let at = row.try_get::<_, Option<Instant>>(column)?;
            Ok::<_, tokio_postgres::Error>(at.map(|at| at.0))
        };
        let severity = |column| {
            let word: &str = row.try_get(column)?;
            Ok::<_, tokio_postgres::Error>(Severity::parse(word).unwrap_or_default())
        };
        let steps: String = row.try_get("steps")?;
        let cause_rule: Option<String> = row.try_get("cause_rule")?;
        let cause_target: Option<String> = row.try_get("cause_target")?;
        Ok(Self {
            id: row.try_get("finding_id")?,
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            kind: row.try_get("kind")?,
            domain: row.try_get("domain")?,
            metric: row.try_get("metric")?,
            metric_key: row.try_get("metric_key")?,
            severity: severity("severity")?,
            worst: severity("worst")?,
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            steps: steps.lines().map(str::to_owned).collect(),
            command: row.try_get("command")?,
            action_sql: row.try_get("action_sql")?,
            value: row.try_get("value")?,
            current: row.try_get("current_value")?,
            threshold: row.try_get("threshold")?,
            expected: row.try_get("expected")?,
            culprit: row.try_get("culprit")?,
            because: cause_rule.map(|rule| (rule, cause_target.unwrap_or_default())),
            source: row.try_get("source")?,
            fingerprint: row.try_get("fingerprint")?,
            template: row.try_get("template")?,
            opened_at: instant("opened_at")?,
            seen_at: instant("seen_at")?,
            unknown_since: optional("unknown_since")?,
            resolved_at: optional("resolved_at")?,
            occurrences: row.try_get("occurrences")?,
        })
    }

    /// Returns whether it lasts.
    #[must_use]
    pub const fn state(&self) -> State {
        match (self.resolved_at, self.unknown_since) {
            (Some(_), _) => State::Resolved,
            (None, Some(_)) => State::Unknown,
            (None, None) => State::Firing,
        }
    }

    /// Returns whether it is about lines of logs: its figures are counts of them, and its title names the kind of event.
    #[must_use]
    pub fn is_of_lines(&self) -> bool {
        matches!(self.domain.as_str(), "logs" | "security")
    }

    /// Returns the condition in a sentence: with its figures, of lines of logs the kind of event.
    #[must_use]
    pub fn headline(&self) -> &str {
        if self.is_of_lines() || self.message.is_empty() {
            &self.title
        } else {
            &self.message
        }
    }

    /// Returns what it is about, lines of logs by their template.
    #[must_use]
    pub fn subject(&self) -> &str {
        match (&self.fingerprint, &self.template) {
            (Some(fingerprint), Some(template)) if *fingerprint == self.target => template,
            _ => &self.target,
        }
    }

    /// Returns how long it lasted, at `at` if it still lasts, microseconds.
    #[must_use]
    pub fn duration(&self, at: Timestamp) -> i64 {
        let end = self.resolved_at.unwrap_or(at);
        (end.as_micros() - self.opened_at.as_micros()).max(0)
    }

    /// Returns the unit of its figures.
    #[must_use]
    pub fn unit(&self) -> Unit {
        let metric = self.metric.as_deref().and_then(schema::metric);
        metric.map_or(Unit::Count, |metric| metric.unit)
    }
}

/// Returns the confirmed findings that were open within `from..to`: firing ones first, then those without data, in
/// each the worst and newest first.
///
/// # Errors
/// The error that the server reported.
pub async fn list(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Alert>, ReadError> {
    let fault = |source| ReadError::new("alerts", source);
    let (from, to) = (Instant(from), Instant(to));
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let rows = client
        .query_typed(include_str!("list.sql"), &params)
        .await
        .map_err(fault)?;
    rows.iter()
        .map(|row| Alert::of(row).map_err(fault))
        .collect()
}
