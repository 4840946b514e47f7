//! `pqcrypta host`: the hosts of a store, and the roles with which they log in.

mod list;
pub(crate) mod membership;
mod named;
pub(crate) mod ticket;

use std::process::ExitCode;

use anyhow::Result;

/// List, rename and remove hosts of the store; let a further one in, or shut one out
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    List(list::Options),
    Rename(named::Rename),
    Remove(named::Remove),
    Add(membership::Add),
    Revoke(membership::Revoke),
}

/// Runs the action.
///
/// # Errors
/// Why it was not done.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    match &options.action {
        Action::List(options) => list::run(options).await,
        Action::Rename(options) => named::rename(options).await,
        Action::Remove(options) => named::remove(options).await,
        Action::Add(options) => membership::add(options).await,
        Action::Revoke(options) => membership::revoke(options).await,
    }
}
