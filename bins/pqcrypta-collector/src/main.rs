//! The agent. It samples this host and delivers to PostgreSQL; it binds no port.
//!
//! One thread runs every task: sampling, one for each service that is watched, the writer that delivers
//! samples, the one that stores lines of logs, judging, and the reload of the configuration. A second reads and
//! understands logs, which takes the processor for as long as lines wait; at most two more wait for
//! disks (the spool's fdatasync, a mount that does not answer). Sampling never waits for the writer: a
//! tick ends when its rows are in the spool.
//!
//! SIGHUP makes it read the configuration again.
//!
//! Exit status: 0 after SIGTERM, 78 for a faulty configuration, 1 for anything else; also when samples were
//! lost at the end of which neither the database nor the queue has a note.

mod agent;
mod clock;
mod judging;
mod logs;
mod reload;
mod sampling;
mod services;
mod signals;
mod ticker;
mod watched;

use ::logs::source::OwnOutput;
use anyhow::Context;
use clap::Parser;
use config::{Config, Environment};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Samples this host and delivers to PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "pqcrypta-collector", version)]
struct Args {
    /// Configuration file [default: COLLECTOR_CONFIG, else /etc/pqcrypta/collector.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where procfs is mounted
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
    /// Where sysfs is mounted
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    sys: PathBuf,
}

/// Threads that may wait for disks: the spool, and one mount that does not answer.
const BLOCKING_THREADS: usize = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::from_process();
    start_log(&environment);
    let loaded = Config::load(args.config.as_deref(), &environment).and_then(|loaded| {
        OwnOutput::of_this_process().check(&loaded)?;
        Ok(loaded)
    });
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(faults) => {
            for fault in &faults.0 {
                tracing::error!("{fault}");
            }
            return ExitCode::from(config::EXIT_CONFIG);
        }
    };
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    #[cfg(feature = "failpoints")]
    if let Err(fault) = store::failpoint::set(environment.get("FAILPOINTS").unwrap_or_default()) {
        tracing::error!("FAILPOINTS: {fault}");
        return ExitCode::FAILURE;
    }
    match ::logs::descriptors::raise() {
        Ok(limit) => tracing::debug!(limit, "files that may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let roots = collect::Roots {
        proc: args.proc,
        sys: args.sys,
    };
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        // Longer than a tick, so that the spool's thread is not made anew each time.
        .thread_keep_alive(Duration::from_secs(60))
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| {
            let result = runtime.block_on(agent::run(loaded, environment, roots));
            // A mount that does not answer must not hold up the end.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Log lines go to standard error; `RUST_LOG` chooses, `info` is the default.
fn start_log(environment: &Environment) {
    let filter =
        tracing_subscriber::EnvFilter::try_new(environment.get("RUST_LOG").unwrap_or("info"))
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}
