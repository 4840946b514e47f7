//! The settings as every subcommand reads them, and the session they lead to.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use config::{Config, Environment, Faults, Loaded};
use pg::{Session, SessionOptions, Target};

/// Where the settings are.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// Settings [default: COLLECTOR_CONFIG, else /etc/pqcrypta/collector.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Source {
    /// Reads them.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn load(&self) -> Result<Loaded, Faults> {
        Config::load(self.config.as_deref(), &Environment::from_process())
    }
}

/// Prints every fault; returns the exit status for a faulty configuration.
pub(crate) fn refuse(faults: &Faults) -> ExitCode {
    for fault in &faults.0 {
        crate::say(&fault.to_string());
    }
    ExitCode::from(config::EXIT_CONFIG)
}

/// Returns a session with the database of the settings.
///
/// # Errors
/// Why there is none.
pub(crate) async fn connect(loaded: &Loaded, what: &str) -> Result<Session> {
    let target = Target::from(&loaded.config.database);
    // The message contains its cause; the chain would repeat it.
    pg::connect(&target, &SessionOptions::default(), what)
        .await
        .map_err(|error| anyhow!("{error}"))
}
