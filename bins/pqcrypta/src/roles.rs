//! Rights of the roles in the database.

use anyhow::{Context, Result};
use tokio_postgres::Client;

/// Lets `writer` store, `reader` read and `ingest` add events of web sites; `None` leaves a role out. For the owner of the
/// schema.
///
/// # Errors
/// When a role does not exist, or the session may not grant.
pub(crate) async fn grant(
    client: &Client,
    writer: Option<&str>,
    reader: Option<&str>,
    ingest: Option<&str>,
) -> Result<()> {
    client
        .query_one(
            "SELECT set_config('pqcrypta.writer', $1, false), set_config('pqcrypta.reader', $2, false), \
             set_config('pqcrypta.ingest', $3, false), set_config('citus.multi_shard_modify_mode', 'sequential', false)",
            &[
                &writer.unwrap_or_default(),
                &reader.unwrap_or_default(),
                &ingest.unwrap_or_default(),
            ],
        )
        .await
        .context("cannot name the roles")?;
    client
        .batch_execute(include_str!("roles.sql"))
        .await
        .map_err(server_words)
        .context("cannot grant rights")
}

/// Returns an error with the server's own sentence, which the driver leaves to its source.
pub(crate) fn server_words(error: tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(server) => anyhow::anyhow!("{}", server.message().to_owned()),
        None => error.into(),
    }
}
