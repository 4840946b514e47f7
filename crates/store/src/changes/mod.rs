//! What was changed on a host, as it is stored.

use crate::series::{Instant, ReadError};
use schema::Timestamp;
use schema::tables::ChangeMarker;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// A change: a [`ChangeMarker`] with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was.
    pub at: Timestamp,
    /// `package`, `unit`, `server`, `setting`, …
    pub kind: String,
    /// What was changed.
    pub subject: String,
    /// What was done, as a participle.
    pub action: String,
    /// Version or value before.
    pub before: Option<String>,
    /// Version or value after.
    pub after: Option<String>,
    /// Log, server or part of the collector that reports it.
    pub source: String,
}

impl Change {
    /// Returns the change that a row of the tick has.
    #[must_use]
    pub fn new(at: Timestamp, marker: &ChangeMarker) -> Self {
        Self {
            at,
            kind: marker.kind.clone(),
            subject: marker.subject.clone(),
            action: marker.action.clone(),
            before: marker.before.clone(),
            after: marker.after.clone(),
            source: marker.source.clone(),
        }
    }
}

/// Returns the newest `most` changes of a host since an instant, the oldest first.
///
/// # Errors
/// The error that the server reported.
pub async fn since(
    client: &Client,
    host_id: i32,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Change>, ReadError> {
    let fault = |source| ReadError::new("changes", source);
    let since = Instant(since);
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&since, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
    ];
    let rows = client.query_typed(include_str!("since.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let change = |row: &tokio_postgres::Row| {
        Ok(Change {
            at: row.try_get::<_, Instant>("ts")?.0,
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            action: row.try_get("action")?,
            before: row.try_get("before")?,
            after: row.try_get("after")?,
            source: row.try_get("source")?,
        })
    };
    let mut changes: Vec<Change> = rows
        .iter()
        .map(change)
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    changes.reverse();
    Ok(changes)
}
