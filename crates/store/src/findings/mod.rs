//! Findings in the database: those that are open, what began and ended lately, and the changes of an evaluation run
//! over logs.
//!
//! Findings follow from their transitions ([`FindingTransition`](schema::tables::FindingTransition)), which the writer
//! stores as rows of the queue: `collector.apply_transitions` of migration 12 has the rules. Judges of logs store theirs by
//! themselves, with [`apply`]. Such a run is one statement, so it is atomic and idempotent: an open finding of the same rule and target is
//! refreshed instead of opened. Instants are parameters, never the server's clock: a finding is open since the
//! first line or sample that it is about, and was last seen with the last of them.

use crate::series::{Instant, ReadError};
use schema::{Finding, Severity, Timestamp};
use serde_json::{Value, json};
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

/// An open finding of an evaluation run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub id: i64,
    /// Its rule.
    pub rule: String,
    /// Its target.
    pub target: String,
    /// Time of the last line or sample that it is about.
    pub last_seen: Timestamp,
}

/// Changes of an evaluation run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Findings of this run, to be opened or refreshed.
    pub found: Vec<Finding>,
    /// Identifiers of findings to be resolved, as of their last line or sample.
    pub resolved: Vec<i64>,
}

/// Returns the open findings of these domains, for a run that [`apply`] stores.
///
/// # Errors
/// The error that the server reported.
pub async fn open_of(
    client: &Client,
    host_id: i32,
    domains: &[&str],
) -> Result<Vec<Open>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let rows = client
        .query_typed(
            "SELECT finding_id, rule, target, seen_at FROM collector.findings \
             WHERE host_id = $1 AND resolved_at IS NULL AND domain = ANY ($2)",
            &[(&host_id, Type::INT4), (&domains, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(fault)?;
    rows.iter()
        .map(|row| {
            Ok(Open {
                id: row.try_get(0).map_err(fault)?,
                rule: row.try_get(1).map_err(fault)?,
                target: row.try_get(2).map_err(fault)?,
                last_seen: row.try_get::<_, Instant>(3).map_err(fault)?.0,
            })
        })
        .collect()
}

/// Stores the changes of a run at `at`, all of them or none.
///
/// # Errors
/// The error that the server reported.
pub async fn apply(
    client: &Client,
    host_id: i32,
    changes: &Changes,
    at: Timestamp,
) -> Result<(), ReadError> {
    if changes.found.is_empty() && changes.resolved.is_empty() {
        return Ok(());
    }
    let found = Value::Array(changes.found.iter().map(as_json).collect()).to_string();
    let at = Instant(at);
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&at, Type::TIMESTAMPTZ),
        (&found, Type::TEXT),
        (&changes.resolved, Type::INT8_ARRAY),
    ];
    client
        .query_typed(include_str!("apply.sql"), &params)
        .await
        .map_err(|source| ReadError::new("findings", source))?;
    Ok(())
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

/// Encodes a finding as JSON. A NUL, which PostgreSQL's text does not allow, becomes its symbol, and a number that is
/// not finite becomes null.
fn as_json(finding: &Finding) -> Value {
    let text = |text: &str| text.replace('\0', "\u{2400}");
    let details = finding.details.as_deref();
    let details: Option<Value> = details.and_then(|details| serde_json::from_str(details).ok());
    json!({
        "rule": finding.rule,
        "target": text(&finding.target),
        "kind": finding.kind.as_str(),
        "domain": finding.domain,
        "severity": finding.severity.as_str(),
        "title": text(&finding.title),
        "message": text(&finding.message),
        "steps": finding.steps.iter().map(|step| text(step)).collect::<Vec<_>>(),
        "value": finding.figures.value,
        "expected": finding.figures.expected,
        "score": finding.figures.score,
        "details": details,
        "first": finding.span.map(|(first, _)| first.as_micros()),
        "last": finding.span.map(|(_, last)| last.as_micros()),
    })
}
