//! The operator's command: start everything on one machine, migrate a database, check settings,
//! look at what is stored, and find out what is wrong.

mod roles;
mod up;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Collects what a host, its PostgreSQL and its services do, and shows it
#[derive(Debug, Parser)]
#[command(name = "pqcrypta", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    // One thread: children are told of the death of the thread that started them.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            match command {
                Command::Up(options) => up::run(options).await,
            }
        })
}

/// Tells the operator something, on standard error. A closed standard error is no reason to stop.
fn say(text: &str) {
    let _unheard = writeln!(std::io::stderr().lock(), "pqcrypta: {text}");
}
