//! Findings that somebody acknowledged or dismissed.

use crate::series::{Instant, ReadError};
use schema::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// What somebody said about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Somebody knows; it stays in every list.
    Acknowledged,
    /// It is in no list.
    Dismissed,
}

impl Mark {
    /// Returns the word stored in `collector.finding_marks.mark`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Dismissed => "dismissed",
        }
    }
}

/// Marks an open finding, until an instant or until its condition has ended. Returns whether there is such an open finding.
///
/// # Errors
/// The error that the server reported.
pub async fn mark(
    client: &Client,
    id: i64,
    mark: Mark,
    until: Option<Timestamp>,
) -> Result<bool, ReadError> {
    let (word, until) = (mark.as_str(), until.map(Instant));
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&id, Type::INT8),
        (&word, Type::TEXT),
        (&until, Type::TIMESTAMPTZ),
    ];
    let sql = "SELECT collector.mark_finding($1, $2, $3)";
    flag(client, sql, &params).await
}

/// Takes back the mark of a finding. Returns whether it had one.
///
/// # Errors
/// The error that the server reported.
pub async fn unmark(client: &Client, id: i64) -> Result<bool, ReadError> {
    let params: [(&(dyn ToSql + Sync), Type); 1] = [(&id, Type::INT8)];
    flag(client, "SELECT collector.unmark_finding($1)", &params).await
}

/// Ends the marks of a host whose time has passed, or whose condition has not held for a day.
///
/// # Errors
/// The error that the server reported.
pub async fn lapse(client: &Client, host_id: i32, at: Timestamp) -> Result<(), ReadError> {
    let at = Instant(at);
    let params: [(&(dyn ToSql + Sync), Type); 2] =
        [(&host_id, Type::INT4), (&at, Type::TIMESTAMPTZ)];
    let sql = "SELECT collector.lapse_marks($1, $2)";
    let done = client.query_typed(sql, &params).await;
    done.map_err(|source| ReadError::new("ending marks of findings", source))?;
    Ok(())
}

async fn flag(
    client: &Client,
    sql: &str,
    params: &[(&(dyn ToSql + Sync), Type)],
) -> Result<bool, ReadError> {
    let fault = |source| ReadError::new("the mark of a finding", source);
    let rows = client.query_typed(sql, params).await.map_err(fault)?;
    let first = rows.first().map(|row| row.try_get(0));
    Ok(first.transpose().map_err(fault)?.unwrap_or_default())
}
