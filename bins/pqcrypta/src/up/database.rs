//! The database inside the private server: roles, schema, rights.

use std::time::Duration;

use anyhow::{Context, Result};
use pg::{Session, SessionOptions, Target};
use store::migrations;

use super::server::SUPERUSER;
use super::state::{PORT, State};
use crate::roles;

/// How long closing a session in order may take.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The database.
pub(crate) const DATABASE: &str = "pqcrypta";
/// Owns the schema; nobody logs in as it.
pub(crate) const OWNER: &str = "pqcrypta_owner";
/// The collector's role: inserts samples, reads statistics.
pub(crate) const WRITER: &str = "pqcrypta_collector";
/// The monitor's role: reads.
pub(crate) const READER: &str = "pqcrypta_monitor";
/// The role of what receives events of web sites: adds them, and reads nothing.
pub(crate) const INGEST: &str = "pqcrypta_analytics";

/// Returns the private server's database, as its superuser.
pub(crate) fn target(state: &State) -> Target {
    target_at(state, PORT)
}

/// The same of the server at a port.
pub(crate) fn target_at(state: &State, port: u16) -> Target {
    Target::new(&state.socket.to_string_lossy(), port, DATABASE, SUPERUSER)
}

/// Makes what is missing: roles, database, the newest schema, rights.
///
/// # Errors
/// When the server refuses a step, or the data were written by a newer version.
pub(crate) async fn prepare(target: &Target) -> Result<()> {
    let session = open(&target.clone().with_database("postgres")).await?;
    make_roles(&session)
        .await
        .context("cannot make the roles")?;
    make_database(&session)
        .await
        .context("cannot make the database")?;
    session.close(CLOSE_WITHIN).await;

    let session = open(target).await?;
    let preloaded: bool = session
        .client
        .query_one(
            "SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'",
            &[],
        )
        .await?
        .get(0);
    if preloaded {
        session
            .client
            .batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public")
            .await
            .map_err(roles::server_words)
            .context("cannot add pg_stat_statements")?;
    }
    // Rights on functions count in the database they were given in.
    session
        .client
        .batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION pg_ls_waldir(), pg_ls_archive_statusdir(), pg_ls_tmpdir() TO {WRITER}"
        ))
        .await
        .map_err(roles::server_words)?;
    session
        .client
        .batch_execute(&format!("SET ROLE {OWNER}"))
        .await?;
    for migration in migrations::apply(&session.client).await? {
        crate::say(&format!(
            "applied migration {} ({})",
            migration.version, migration.name
        ));
    }
    roles::grant(&session.client, Some(WRITER), Some(READER), Some(INGEST)).await?;
    session.close(CLOSE_WITHIN).await;
    Ok(())
}

/// Opens a session.
pub(crate) async fn open(target: &Target) -> Result<Session> {
    pg::connect(target, &SessionOptions::default(), "pqcrypta up")
        .await
        .with_context(|| format!("cannot connect to {target}"))
}

/// Grants `pg_read_all_stats` and not `pg_monitor`, which may read a standby's connection string with the
/// password inside.
async fn make_roles(session: &Session) -> Result<()> {
    for (role, attributes) in [
        (OWNER, "NOLOGIN"),
        (WRITER, "LOGIN"),
        (READER, "LOGIN CONNECTION LIMIT 16"),
        (INGEST, "LOGIN CONNECTION LIMIT 8"),
    ] {
        let known = session
            .client
            .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
            .await?;
        if known.is_none() {
            session
                .client
                .batch_execute(&format!("CREATE ROLE {role} {attributes}"))
                .await?;
        }
    }
    session
        .client
        .batch_execute(&format!(
            "GRANT pg_read_all_stats TO {WRITER}, {READER}; \
             ALTER ROLE {READER} SET default_transaction_read_only = on"
        ))
        .await
        .map_err(roles::server_words)
}

async fn make_database(session: &Session) -> Result<()> {
    let known = session
        .client
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&DATABASE])
        .await?;
    if known.is_none() {
        session
            .client
            .batch_execute(&format!(
                "CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'"
            ))
            .await
            .map_err(roles::server_words)?;
    }
    Ok(())
}
