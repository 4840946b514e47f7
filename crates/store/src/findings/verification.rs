//! What became of findings a day after they ended.

use crate::series::{Instant, ReadError};
use schema::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// Most findings that are looked at in one run.
const AT_ONCE: i64 = 50;

/// A finding that ended and was not looked at since.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified {
    /// Its number.
    pub id: i64,
    /// Its rule.
    pub rule: String,
    /// Its target.
    pub target: String,
    /// Its metric.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// The value when it was opened.
    pub value: Option<f64>,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it ended.
    pub resolved_at: Timestamp,
    /// Whether the same was found again within a day.
    pub has_returned: bool,
}

impl Unverified {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| row.try_get::<_, Instant>(column).map(|at| at.0);
        Ok(Self {
            id: row.try_get("finding_id")?,
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            metric: row.try_get("metric")?,
            metric_key: row.try_get("metric_key")?,
            value: row.try_get("value")?,
            opened_at: instant("opened_at")?,
            resolved_at: instant("resolved_at")?,
            has_returned: row.try_get("has_returned")?,
        })
    }
}

/// Returns findings of a host that ended within a range and were not looked at, the oldest first.
///
/// # Errors
/// The error that the server reported.
pub async fn unverified(
    client: &Client,
    host_id: i32,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Unverified>, ReadError> {
    let fault = |source| ReadError::new("findings to be verified", source);
    let (from, to) = (Instant(from), Instant(to));
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&AT_ONCE, Type::INT8),
    ];
    let rows = client.query_typed(include_str!("unverified.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    rows.iter()
        .map(Unverified::of)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// When a table was vacuumed last: by hand, and by autovacuum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// By hand.
    pub by_hand: Option<Timestamp>,
    /// By autovacuum.
    pub by_autovacuum: Option<Timestamp>,
}

/// Returns when a table was vacuumed last, as of the newest slow tick within a range; `table` is the key of its metrics.
///
/// # Errors
/// The error that the server reported.
pub async fn vacuumed(
    client: &Client,
    host_id: i32,
    (from, to): (Timestamp, Timestamp),
    table: &str,
) -> Result<Option<Vacuumed>, ReadError> {
    let fault = |source| ReadError::new("the last vacuum", source);
    let (from, to) = (Instant(from), Instant(to));
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&table, Type::TEXT),
    ];
    let rows = client.query_typed(include_str!("vacuumed.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let time = |row: &Row, column| -> Result<Option<Timestamp>, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<Instant>>(column)?.map(|at| at.0))
    };
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let read = || {
        Ok(Vacuumed {
            by_hand: time(row, "last_vacuum")?,
            by_autovacuum: time(row, "last_autovacuum")?,
        })
    };
    read().map(Some).map_err(fault)
}

/// Stores what became of a finding.
///
/// # Errors
/// The error that the server reported.
pub async fn verify(
    client: &Client,
    host_id: i32,
    id: i64,
    sentence: &str,
    at: Timestamp,
) -> Result<(), ReadError> {
    let at = Instant(at);
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&id, Type::INT8),
        (&sentence, Type::TEXT),
        (&at, Type::TIMESTAMPTZ),
    ];
    let sql = "UPDATE collector.findings SET verified = $3, verified_at = $4 WHERE host_id = $1 AND finding_id = $2";
    let done = client.query_typed(sql, &params).await;
    done.map_err(|source| ReadError::new("storing what became of a finding", source))?;
    Ok(())
}
