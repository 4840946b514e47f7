//! Follows the configuration file: looked at every minute, taken when it is good, else the one in
//! force stays and the faults are said once.

use config::{Config, Environment, Loaded};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Follows one configuration.
#[derive(Debug)]
pub(crate) struct Reloader {
    file: Option<PathBuf>,
    environment: Environment,
    current: Config,
    fingerprint: config::Fingerprint,
    said: String,
}

impl Reloader {
    pub(crate) fn new(loaded: Loaded, file: Option<PathBuf>, environment: Environment) -> Self {
        Self {
            file,
            environment,
            current: loaded.config,
            fingerprint: loaded.fingerprint,
            said: String::new(),
        }
    }

    /// The next configuration that differs, or `None` when it is time to stop.
    pub(crate) async fn next(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Loaded> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => return None,
            }
            if *stop.borrow() {
                return None;
            }
            if let Some(loaded) = self.look() {
                return Some(loaded);
            }
        }
    }

    fn look(&mut self) -> Option<Loaded> {
        match Config::load(self.file.as_deref(), &self.environment) {
            Ok(loaded) if loaded.fingerprint == self.fingerprint => None,
            Ok(loaded) => {
                self.fingerprint = loaded.fingerprint.clone();
                self.said.clear();
                let reload = config::Reload::between(&self.current, &loaded.config);
                tracing::info!(%reload, "configuration read again");
                let applied = reload.apply(&self.current, &loaded.config);
                self.current = applied.clone();
                Some(Loaded { config: applied, ..loaded })
            }
            Err(faults) => {
                let text = faults.to_string();
                if text != self.said {
                    tracing::error!("the configuration in force stays, the file has faults:");
                    for fault in text.lines() {
                        tracing::error!("{fault}");
                    }
                    self.said = text;
                }
                None
            }
        }
    }
}
