//! `pqcrypta migrate`: brings a database of one's own to this version's schema.

use std::process::ExitCode;

use anyhow::{Context, Result};
use store::migrations;

use crate::settings::{Source, connect, refuse};
use crate::{print, roles};

/// Bring the database to the schema of this version
///
/// Connects as section `[database]` states. Prints what was applied. A database that a newer version wrote is
/// left alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// Role that owns the schema; the login role must be a member of it
    #[arg(long, value_name = "ROLE")]
    owner: Option<String>,
    /// Role of the collector: gets what storing needs
    #[arg(long, value_name = "ROLE")]
    writer: Option<String>,
    /// Role of the dashboard: gets what reading needs
    #[arg(long, value_name = "ROLE")]
    reader: Option<String>,
    /// Role of the program that receives events of web sites: may add them, and read nothing
    #[arg(long, value_name = "ROLE")]
    ingest: Option<String>,
}

/// Applies what is missing.
///
/// # Errors
/// When a statement fails; the migrations before it stay applied.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let session = connect(&loaded, "pqcrypta migrate").await?;
    if let Some(owner) = &options.owner {
        session
            .client
            .query_one("SELECT set_config('role', $1, false)", &[owner])
            .await
            .map_err(roles::server_words)
            .with_context(|| format!("cannot act as {owner}"))?;
    }
    // Checking first: a role that may not change the schema learns that there is nothing to change.
    let (found, applied) = match migrations::check(&session.client).await {
        Ok(found) => (found, Vec::new()),
        Err(_) => (
            migrations::wanted(),
            migrations::apply(&session.client).await?,
        ),
    };
    for migration in &applied {
        print(&format!(
            "applied {:04} {}\n",
            migration.version, migration.name
        ))?;
    }
    if applied.is_empty() {
        print(&format!("nothing to do: the schema has version {found}\n"))?;
    }
    let roles = [&options.writer, &options.reader, &options.ingest];
    if roles.iter().any(|role| role.is_some()) {
        let [writer, reader, ingest] = roles.map(Option::as_deref);
        roles::grant(&session.client, writer, reader, ingest).await?;
        for role in roles.into_iter().flatten() {
            print(&format!("granted rights to {role}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
