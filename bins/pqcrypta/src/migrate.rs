//! `pqcrypta migrate`: brings a database of one's own to this version's schema.

use std::process::ExitCode;

use anyhow::{Context, Result};
use store::distribution::{self, Cluster, DistributeError, Distributed, Refusal};
use store::migrations;
use tokio_postgres::Client;

use crate::settings::{Source, connect, refuse};
use crate::{print, roles};

/// Bring the database to the schema of this version
///
/// Connects as section `[database]` states. Prints what was applied. A database that a newer version wrote is
/// left alone.
///
/// Exit status: 0 when done, 1 when a statement failed, 69 when the cluster cannot take the store, with what to do.
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
    /// Distribute the tables by host over the workers of a Citus cluster; again after adding tables
    #[arg(long)]
    distribute: bool,
    /// Number of shards; two of each worker, 4 to 16, if not stated
    #[arg(long, value_name = "N", requires = "distribute", value_parser = clap::value_parser!(u32).range(1..=i64::from(distribution::MOST_SHARDS)))]
    shards: Option<u32>,
}

/// The exit status when the cluster lacks something: `EX_UNAVAILABLE` of sysexits(3).
const UNAVAILABLE: u8 = 69;

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
        match act_as(&session.client, owner).await {
            Err(error) if options.distribute => {
                crate::say(&format!("{error:#}"));
                return Ok(ExitCode::from(UNAVAILABLE));
            }
            acts => acts?,
        }
    }
    if options.distribute
        && let Err(refusal) = ready(&session.client).await?
    {
        crate::say(&refusal.to_string());
        return Ok(ExitCode::from(UNAVAILABLE));
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
    if options.distribute {
        let writer = options.writer.as_deref();
        match distribution::distribute(&session.client, options.shards, writer).await {
            Ok(done) => print(&described(&done))?,
            Err(DistributeError::Refused(refusal)) => {
                crate::say(&refusal.to_string());
                return Ok(ExitCode::from(UNAVAILABLE));
            }
            Err(error) => return Err(error.into()),
        }
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

/// Takes the rights of the owner.
async fn act_as(client: &Client, owner: &str) -> Result<()> {
    client
        .query_one("SELECT set_config('role', $1, false)", &[&owner])
        .await
        .map_err(roles::server_words)
        .with_context(|| {
            format!(
                "cannot act as {owner}, nothing was changed; log in as a member of that role or as a superuser"
            )
        })?;
    Ok(())
}

/// Checks, before anything is changed, whether the cluster can take the store once its schema is that of this version.
async fn ready(client: &Client) -> Result<Result<(), Refusal>> {
    let mut cluster = Cluster::read(client).await?;
    cluster.schema = None;
    if cluster.owner.is_empty() {
        // The first migration makes the schema.
        cluster.owner.clone_from(&cluster.role);
    }
    Ok(cluster.check())
}

/// Describes what was distributed.
fn described(done: &Distributed) -> String {
    let kept = done.kept.len();
    match done.tables.as_slice() {
        [] => "nothing to distribute: every table is where it belongs\n".to_owned(),
        tables => format!(
            "distributed {} over {} shards: {}\n{kept} that belong to no host stay on the coordinator: {}\n",
            words::counted(tables.len(), "table"),
            done.shards,
            tables.join(", "),
            done.kept.join(", ")
        ),
    }
}
