//! The start that the long-running programs share: log, settings, runtime, exit status.
//!
//! Log lines go to standard error, [`settings`] reports every fault of the configuration at once, and [`run`]
//! turns the outcome of the work into the exit status: 0, 1 for an error, and [`config::EXIT_CONFIG`] for a
//! faulty configuration and for what else only an operator can mend ([`Refusal`]). [`Reloader`] follows the settings while it runs, and [`ServiceManager`] is told how it is.

mod reload;
mod service_manager;

pub use reload::Reloader;
pub use service_manager::ServiceManager;

use anyhow::Context as _;
use config::{Config, Environment, Faults, Loaded};
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Sends log lines to standard error; `RUST_LOG` chooses which, by level and target (`info,store=debug`); `info` is
/// the default. Conditions on fields, which take a regular expression engine, are not supported.
pub fn log(environment: &Environment) {
    let chosen = environment.get("RUST_LOG").map(str::parse::<Targets>);
    let filter = match chosen {
        Some(Ok(filter)) => filter,
        Some(Err(_)) | None => Targets::new().with_default(LevelFilter::INFO),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
}

/// Loads the settings, lets the program `check` them, and logs faults and warnings.
///
/// # Errors
/// The status to exit with when there are faults.
pub fn settings(
    path: Option<&Path>,
    environment: &Environment,
    check: impl FnOnce(&Loaded) -> Result<(), Faults>,
) -> Result<Loaded, ExitCode> {
    let checked = Config::load(path, environment).and_then(|loaded| {
        check(&loaded)?;
        Ok(loaded)
    });
    match checked {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                tracing::warn!("{warning}");
            }
            Ok(loaded)
        }
        Err(faults) => {
            for fault in &faults.0 {
                tracing::error!("{fault}");
            }
            Err(ExitCode::from(config::EXIT_CONFIG))
        }
    }
}

/// A reason not to begin that another start finds again until an operator acts, such as a queue that a newer version wrote. The exit
/// status is that of a faulty configuration, after which a service manager does not start the program anew.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Refusal(Box<dyn std::error::Error + Send + Sync>);

impl Refusal {
    /// Marks an error as one.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// Runs the work on a runtime of this builder; logs the error that it ends with. Whatever still waits for a
/// disk then does not hold up the end.
#[must_use]
pub fn run(builder: &mut Builder, work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let result = builder
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| {
            let result = runtime.block_on(work);
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            if error.chain().any(|cause| cause.is::<Refusal>()) {
                ExitCode::from(config::EXIT_CONFIG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
