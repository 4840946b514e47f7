//! The operator's command: start everything on one machine, migrate a database, check settings,
//! look at what is stored, and find out what is wrong.

mod alerts;
mod check_config;
mod doctor;
mod enroll;
mod explain;
mod host;
mod migrate;
mod roles;
mod settings;
mod slos;
mod spool;
mod status;
mod traffic;
mod up;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Collects what a host, its PostgreSQL and its services do, and shows it
#[derive(Debug, Parser)]
#[command(
    name = "pqcrypta",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Options),
    Status(status::Options),
    Alerts(alerts::Options),
    Slos(slos::Options),
    Explain(explain::Options),
    Doctor(doctor::Options),
    CheckConfig(check_config::Options),
    Migrate(migrate::Options),
    Host(host::Options),
    Enroll(enroll::Options),
    Traffic(traffic::Options),
    Spool(spool::Options),
}

/// Returns the command line, for its manual and completions.
#[must_use]
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misused(&error),
    };
    match run(arguments.command) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            match error.is::<Unprinted>() {
                // 1 and 2 are answers of some commands.
                true => ExitCode::from(NOT_WRITTEN),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// Prints help, or what is wrong with the arguments; that is 2, except for a check of a monitoring system, for which 2 is
/// critical.
fn misused(error: &clap::Error) -> ExitCode {
    let _unheard = error.print();
    let is_check = std::env::args_os()
        .nth(1)
        .is_some_and(|name| name == "alerts");
    match (error.use_stderr(), is_check) {
        (false, _) => ExitCode::SUCCESS,
        (true, true) => ExitCode::from(alerts::UNKNOWN),
        (true, false) => ExitCode::from(2),
    }
}

fn run(command: Command) -> Result<ExitCode> {
    // One thread: children are signalled when the thread that started them ends.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            match command {
                Command::Up(options) => up::run(options).await,
                Command::Status(options) => status::run(&options).await,
                Command::Alerts(options) => alerts::run(&options).await,
                Command::Slos(options) => slos::run(&options).await,
                Command::Explain(options) => explain::run(&options).await,
                Command::Doctor(options) => doctor::run(&options).await,
                Command::CheckConfig(options) => check_config::run(&options),
                Command::Migrate(options) => migrate::run(&options).await,
                Command::Host(options) => host::run(&options).await,
                Command::Enroll(options) => enroll::run(&options).await,
                Command::Traffic(options) => traffic::run(&options).await,
                Command::Spool(options) => spool::run(&options),
            }
        })
}

/// Writes a message for the operator to standard error. A closed standard error is not a reason to stop.
fn say(text: &str) {
    let _unheard = writeln!(std::io::stderr().lock(), "pqcrypta: {text}");
}

/// Prints why a question to the database has no answer, as it was asked for: JSON to standard output, text to standard error.
/// Returns the status of it.
///
/// # Errors
/// When standard output cannot be written.
fn report_failure(error: &anyhow::Error, as_json: bool) -> Result<ExitCode> {
    let text = format!("{error:#}");
    if as_json {
        print(&format!("{}\n", serde_json::json!({"error": text})))?;
    } else {
        say(&text);
    }
    Ok(ExitCode::from(2))
}

/// The exit status when standard output cannot be written: `EX_IOERR` of sysexits(3).
const NOT_WRITTEN: u8 = 74;

/// Standard output cannot be written.
#[derive(Debug)]
struct Unprinted(std::io::Error);

impl std::fmt::Display for Unprinted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("cannot write to standard output")
    }
}

impl std::error::Error for Unprinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Writes to standard output.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| anyhow::Error::new(Unprinted(error)))
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Unprinted>()
        .is_some_and(|error| error.0.kind() == std::io::ErrorKind::BrokenPipe)
}
