//! Findings in the database: those that are open, and the changes of an evaluation run.
//!
//! A run is one statement, so it is atomic and idempotent: an open finding of the same rule and target is
//! refreshed instead of opened. Instants are parameters, never the server's clock: a finding is open since the
//! first line or sample that it is about, and was last seen with the last of them.

use crate::series::{Instant, ReadError};
use schema::{Finding, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// An open finding.
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

/// Returns the open findings of these domains.
///
/// # Errors
/// The error that the server reported.
pub async fn open(client: &Client, host_id: i32, domains: &[&str]) -> Result<Vec<Open>, ReadError> {
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
