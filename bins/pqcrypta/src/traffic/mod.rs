//! `pqcrypta traffic`: visits from elsewhere, and visits for elsewhere.

mod export;
mod import;
mod page;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use config::Loaded;
use pg::{Session, SessionOptions, Target};

/// Import visits from access logs and exports of other programs, or export what is stored
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Import(import::Options),
    Export(export::Options),
}

/// Runs the action.
///
/// # Errors
/// Why it was not done.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    match &options.action {
        Action::Import(options) => import::run(options).await,
        Action::Export(options) => export::run(options).await,
    }
}

/// Returns a session for work that takes long, as the role that owns the schema.
async fn connect(loaded: &Loaded, owner: Option<&str>, what: &str) -> Result<Session> {
    /// Adding up a day, or reading a year, takes minutes.
    const LONGEST: Duration = Duration::from_secs(6 * 3600);
    let options = SessionOptions {
        idle_in_transaction_timeout: Duration::from_secs(600),
        ..SessionOptions::for_deadline(LONGEST)
    };
    let target = Target::from(&loaded.config.database);
    // The message contains its cause; the chain would repeat it.
    let session = pg::connect(&target, &options, what)
        .await
        .map_err(|error| anyhow!("{error}"))?;
    if let Some(owner) = owner {
        session
            .client
            .query_one("SELECT set_config('role', $1, false)", &[&owner])
            .await
            .map_err(crate::roles::server_words)
            .with_context(|| format!("cannot act as {owner}"))?;
    }
    store::migrations::check(&session.client).await?;
    Ok(session)
}
