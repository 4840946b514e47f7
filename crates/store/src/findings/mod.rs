//! Findings in the database: those that are open, and what a pass changes about them.
//!
//! A pass is one statement, so it happens wholly or not at all, and doing it twice is doing it once:
//! an open finding of the same rule and target is seen again instead of opened. Instants are given,
//! never asked of the server: a finding is open since the first of what it is about, a line for instance, and
//! was seen last with the last of it.

use crate::series::{Instant, ReadError};
use schema::{Finding, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// A finding that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub id: i64,
    /// The rule that says it.
    pub rule: String,
    /// What it is about.
    pub target: String,
    /// The last of what it is about.
    pub seen: Timestamp,
}

/// What a pass changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Found in this pass, for the first time or again.
    pub found: Vec<Finding>,
    /// Numbers of those that are over; they ended with the last of what they are about.
    pub over: Vec<i64>,
}

/// The open findings of these domains.
///
/// # Errors
/// What the server said.
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
                seen: row.try_get::<_, Instant>(3).map_err(fault)?.0,
            })
        })
        .collect()
}

/// Stores what a pass at `at` changed, all of it or nothing.
///
/// # Errors
/// What the server said.
pub async fn apply(
    client: &Client,
    host_id: i32,
    changes: &Changes,
    at: Timestamp,
) -> Result<(), ReadError> {
    if changes.found.is_empty() && changes.over.is_empty() {
        return Ok(());
    }
    let found = Value::Array(changes.found.iter().map(as_json).collect()).to_string();
    let at = Instant(at);
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&at, Type::TIMESTAMPTZ),
        (&found, Type::TEXT),
        (&changes.over, Type::INT8_ARRAY),
    ];
    client
        .query_typed(include_str!("apply.sql"), &params)
        .await
        .map_err(|source| ReadError::new("findings", source))?;
    Ok(())
}

/// Forgets findings that were over before `old`.
///
/// # Errors
/// What the server said.
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

/// PostgreSQL's text has no NUL, and a number that is not finite is none in JSON.
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
        "value": finding.value,
        "expected": finding.expected,
        "score": finding.score,
        "details": details,
        "first": finding.span.map(|(first, _)| first.as_micros()),
        "last": finding.span.map(|(_, last)| last.as_micros()),
    })
}
