//! A session on behalf of one host.

use crate::migrations::{self, MigrateError};
use pg::{PgError, Session, SessionOptions, Target};
use schema::Timestamp;
use tokio_postgres::Client;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No connection.
    #[error("cannot reach the database: {0}")]
    Connect(#[from] PgError),
    /// The schema does not fit.
    #[error(transparent)]
    Schema(#[from] MigrateError),
    /// The host has no number yet; the writer of samples gives it one.
    #[error("the host is not registered yet")]
    NoHost,
    /// The host could not be looked up.
    #[error("looking up the host failed: {0}")]
    Lookup(String),
}

impl OpenError {
    /// Returns whether the server has no room for a session.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        matches!(self, Self::Connect(error) if error.is_crowded())
    }
}

/// Returns the server's clock.
pub(crate) async fn server_clock(client: &Client) -> Result<Timestamp, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8",
            &[],
        )
        .await?;
    Ok(Timestamp(row.get(0)))
}

/// Connects as `application`, checks the schema and finds the number of the host.
///
/// # Errors
/// Why there is no session.
pub async fn open(
    target: &Target,
    options: &SessionOptions,
    application: &str,
    machine_id: &str,
) -> Result<(Session, i32), OpenError> {
    let session = pg::connect(target, options, application).await?;
    migrations::check(&session.client).await?;
    let row = session
        .client
        .query_opt(
            "SELECT host_id FROM collector.hosts WHERE machine_id = $1",
            &[&machine_id],
        )
        .await
        .map_err(|error| OpenError::Lookup(crate::writer::describe(&error)))?;
    let host_id = row.ok_or(OpenError::NoHost)?.get(0);
    Ok((session, host_id))
}
