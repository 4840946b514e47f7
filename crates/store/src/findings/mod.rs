//! Findings in the database: those that are open, and what began and ended lately.
//!
//! Findings follow from their transitions ([`FindingTransition`](schema::tables::FindingTransition)), which the writer
//! stores as rows of the queue: `collector.apply_transitions` of migration 13 has the rules.

use crate::series::{Instant, ReadError};
use schema::{Severity, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// The state of an open finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFinding {
    /// Identifier of its rule, which this version may not have.
    pub rule: String,
    /// Its target.
    pub target: String,
    /// `alert`, `insight` or `recommendation`.
    pub kind: String,
    /// Part of the system.
    pub domain: String,
    /// Its severity.
    pub severity: Severity,
    /// The worst severity since it was opened.
    pub worst: Severity,
    /// The condition, without figures.
    pub title: String,
    /// The observation, with figures.
    pub message: String,
    /// Since when the condition holds.
    pub opened_at: Timestamp,
    /// Since when it is confirmed; `None` while it is pending.
    pub confirmed_at: Option<Timestamp>,
    /// When the condition held last.
    pub seen_at: Timestamp,
    /// Since when there are no data; `None` while there are.
    pub unknown_since: Option<Timestamp>,
    /// How often it began, continued or returned.
    pub occurrences: i64,
    /// Rule and target of the finding that it follows from.
    pub cause: Option<(String, String)>,
    /// Instant of its newest transition.
    pub transition_at: Timestamp,
}

impl OpenFinding {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| row.try_get::<_, Instant>(column).map(|instant| instant.0);
        let optional = |column| {
            let instant = row.try_get::<_, Option<Instant>>(column)?;
            Ok(instant.map(|instant| instant.0))
        };
        let severity = |column| {
            let word = row.try_get(column)?;
            Ok(Severity::parse(word).unwrap_or_default())
        };
        let cause: Option<String> = row.try_get("cause_rule")?;
        Ok(Self {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            kind: row.try_get("kind")?,
            domain: row.try_get("domain")?,
            severity: severity("severity")?,
            worst: severity("worst")?,
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            opened_at: instant("opened_at")?,
            confirmed_at: optional("confirmed_at")?,
            seen_at: instant("seen_at")?,
            unknown_since: optional("unknown_since")?,
            occurrences: row.try_get("occurrences")?,
            cause: cause.zip(row.try_get("cause_target")?),
            transition_at: instant("transition_at")?,
        })
    }
}

/// Beginnings and the newest end of the findings of one rule and target within a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Identifier of the rule.
    pub rule: String,
    /// The target.
    pub target: String,
    /// When findings began, the oldest first.
    pub began: Vec<Timestamp>,
    /// When the newest ended; `None` if none did.
    pub ended_at: Option<Timestamp>,
}

/// Returns the open findings of a host, those that are not confirmed included. What waits in the queue is not among them:
/// to be called once its events are delivered.
///
/// # Errors
/// The error that the server reported.
pub async fn open(client: &Client, host_id: i32) -> Result<Vec<OpenFinding>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let params: [(&(dyn ToSql + Sync), Type); 1] = [(&host_id, Type::INT4)];
    let rows = client.query_typed(include_str!("open.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    rows.iter()
        .map(OpenFinding::of)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// Returns what began or ended since an instant, by rule and target.
///
/// # Errors
/// The error that the server reported.
pub async fn recent(
    client: &Client,
    host_id: i32,
    since: Timestamp,
) -> Result<Vec<Recent>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let since = Instant(since);
    let params: [(&(dyn ToSql + Sync), Type); 2] =
        [(&host_id, Type::INT4), (&since, Type::TIMESTAMPTZ)];
    let rows = client.query_typed(include_str!("recent.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let recent = |row: &Row| {
        let began: Vec<Instant> = row.try_get("began")?;
        let ended: Option<Instant> = row.try_get("ended_at")?;
        Ok(Recent {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            began: began.into_iter().map(|instant| instant.0).collect(),
            ended_at: ended.map(|instant| instant.0),
        })
    };
    rows.iter()
        .map(recent)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// Deletes findings that were resolved before `old`.
///
/// # Errors
/// The error that the server reported.
pub async fn forget(client: &Client, host_id: i32, old: Timestamp) -> Result<(), ReadError> {
    let old = Instant(old);
    client
        .query_typed(
            "SELECT collector.forget_findings($1, $2)",
            &[(&host_id, Type::INT4), (&old, Type::TIMESTAMPTZ)],
        )
        .await
        .map_err(|source| ReadError::new("findings", source))?;
    Ok(())
}
