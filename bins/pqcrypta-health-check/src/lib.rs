//! Makes the health checks of the configuration once and ends, for a timer or cron.
//!
//! A lock in `health.state_dir` makes a second run leave at once. All checks are made at the same time; each result is a line
//! of `health.log_path`, appended by one write, and a last line counts them. If a timer makes the checks (`health.run_by`), their
//! results are stored too (`store.rs`); otherwise the collector does that.
//!
//! Exit status: 0 all are up; 1 one is slow or has a certificate that expires soon; 2 one is down or unknown; 64 for bad arguments, 74
//! if results could be kept nowhere, 78 for a faulty configuration.

mod clock;
mod lock;
mod log;
mod store;
mod waiting;

use clap::Parser;
use config::{Environment, HealthCheck, HealthRunner};
use health::{Check, Outcome, State};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;
/// `EX_IOERR` of sysexits.h.
const EXIT_NOTHING_KEPT: u8 = 74;

/// Makes the health checks once: 0 up, 1 slow or expiring, 2 down or unknown.
#[derive(Debug, Parser)]
#[command(name = "pqcrypta-health-check", version)]
struct Args {
    /// Configuration file [default: COLLECTOR_CONFIG, else /etc/pqcrypta/collector.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Names of the checks to make [default: all]
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,
}

/// Returns the command line, for its manual and completions.
#[must_use]
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let status = if error.use_stderr() { EXIT_USAGE } else { 0 };
            // Nobody is there to be told that this cannot be printed.
            error.print().unwrap_or_default();
            return ExitCode::from(status);
        }
    };
    let environment = Environment::from_process();
    startup::log(&environment);
    let loaded = match startup::settings(args.config.as_deref(), &environment, |_| Ok(())) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let checks = match chosen(&loaded.config.health.check, &args.checks) {
        Ok(checks) => checks,
        Err(problem) => {
            tracing::error!("{problem}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let status = match runtime {
        Ok(runtime) => {
            let status = runtime.block_on(run(&loaded.config, checks));
            // A lookup that is still waiting for a resolver ends with the process.
            runtime.shutdown_background();
            status
        }
        Err(error) => Err(anyhow::Error::from(error).context("cannot start the runtime")),
    };
    status.map_or_else(
        |error| {
            tracing::error!("{error:#}");
            ExitCode::from(EXIT_NOTHING_KEPT)
        },
        ExitCode::from,
    )
}

/// Returns the checks of these names, all of them without any.
fn chosen(all: &[HealthCheck], names: &[String]) -> Result<Vec<Check>, String> {
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|check| check.name != **name))
    {
        return Err(format!(
            "there is no health check {unknown:?} in the configuration"
        ));
    }
    all.iter()
        .filter(|check| names.is_empty() || names.contains(&check.name))
        .map(|check| Check::new(check.clone()))
        .collect()
}

/// Makes the checks and keeps the results; returns the exit status.
async fn run(config: &config::Config, checks: Vec<Check>) -> anyhow::Result<u8> {
    let Some(_lock) = lock::take(&config.health.state_dir)? else {
        tracing::info!("another run is not over yet");
        return Ok(0);
    };
    let started = Instant::now();
    let outcomes = make(checks).await;
    let logged = log::write(
        config.health.log_path.as_deref(),
        &outcomes,
        started.elapsed(),
    );
    let stored = match config.health.run_by {
        HealthRunner::Collector => false,
        HealthRunner::Timer => store::keep(config, &outcomes).await,
    };
    if let Err(error) = &logged {
        tracing::error!("{error:#}");
    }
    if logged.is_err() && !stored {
        return Ok(EXIT_NOTHING_KEPT);
    }
    Ok(status_of(&outcomes))
}

/// Makes all checks at the same time; the results are in the order of the configuration.
async fn make(checks: Vec<Check>) -> Vec<Outcome> {
    let at = clock::now();
    let mut running = JoinSet::new();
    for (place, check) in checks.into_iter().enumerate() {
        running.spawn(async move { (place, check.run(at).await) });
    }
    let mut outcomes = Vec::new();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => tracing::error!(%error, "a check ended without a result"),
        }
    }
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn status_of(outcomes: &[Outcome]) -> u8 {
    let status = |outcome: &Outcome| match outcome.state {
        State::Down | State::Unknown => 2,
        State::Slow => 1,
        State::Up => u8::from(outcome.is_expiring()),
    };
    outcomes.iter().map(status).max().unwrap_or(0)
}
