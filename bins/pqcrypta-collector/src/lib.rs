//! The agent. It samples this host and delivers to PostgreSQL; it binds no port.
//!
//! One thread runs every task: sampling, one for each service that is watched, the writer that delivers
//! samples, the task that stores log lines, judging, roll-ups, and the reload of the configuration. A second thread reads and
//! parses logs, which takes CPU for as long as lines wait; at most four more wait (the spool's fdatasync,
//! a mount that does not answer, names that are looked up). Sampling never waits for the writer: a tick ends when its rows are in the spool.
//!
//! SIGHUP makes it read the configuration again. A service manager hears when it works and that it goes on (`liveness`).
//!
//! Exit status: 0 after SIGTERM, 78 for a faulty configuration or a queue that a newer version wrote, 1 for anything else, including
//! samples that were lost at the end without a note in the database or the queue.

mod agent;
mod analysis;
mod baselines;
mod clock;
mod findings;
mod group_append;
mod history;
mod jobs;
mod judging;
mod learned;
mod liveness;
mod logs;
mod reload;
mod room;
mod run_mark;
mod sampling;
mod schedule;
mod services;
mod settings;
mod signals;
mod site_visits;
mod slos;
mod textfile;
mod timer_checks;
mod upkeep;
mod watched;

use ::logs::source::OwnOutput;
use clap::Parser;
use config::Environment;
use startup::ServiceManager;
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

/// Threads that may wait: the spool's for its disk, that of a mount that does not answer, and those of lookups while the
/// resolver is silent.
const BLOCKING_THREADS: usize = 4;

/// Returns the command line, for its manual and completions.
#[must_use]
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::from_process();
    startup::log(&environment);
    let own_output = OwnOutput::of_this_process();
    let loaded = match startup::settings(args.config.as_deref(), &environment, |loaded| {
        own_output.check(loaded)
    }) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    #[cfg(debug_assertions)]
    if let Err(fault) = store::failpoint::set(environment.get("FAILPOINTS").unwrap_or_default()) {
        tracing::error!("FAILPOINTS: {fault}");
        return ExitCode::FAILURE;
    }
    match ::logs::descriptors::raise() {
        Ok(limit) => tracing::debug!(limit, "files that may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let manager = ServiceManager::of(&environment);
    let roots = collect::Roots {
        proc: args.proc,
        sys: args.sys,
    };
    let host = match agent::host(&roots, &loaded.config) {
        Ok(host) => host,
        Err(missing) => {
            tracing::error!("{missing}");
            return ExitCode::from(config::EXIT_CONFIG);
        }
    };
    startup::run(
        tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(BLOCKING_THREADS)
            // Longer than a tick, so that the spool's thread is not created anew each time.
            .thread_keep_alive(Duration::from_secs(60)),
        agent::run(loaded, environment, roots, host, manager),
    )
}
