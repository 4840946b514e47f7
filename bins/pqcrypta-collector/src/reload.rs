//! Follows the configuration file: looked at every minute, taken when it is good, else the one in
//! force stays and the faults are said once.

use config::{Config, Environment, Loaded, Machine, Polled, Reload, Watch};
use std::time::Duration;
use tokio::sync::watch;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Follows one configuration.
#[derive(Debug)]
pub(crate) struct Reloader {
    watch: Watch,
    running: Config,
}

impl Reloader {
    pub(crate) fn new(loaded: &Loaded, environment: Environment) -> Self {
        Self {
            watch: Watch::new(loaded, environment, Machine::this()),
            running: loaded.config.clone(),
        }
    }

    /// The next configuration that differs, with what needs no restart applied; `None` when it is
    /// time to stop.
    pub(crate) async fn next(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Loaded> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => return None,
            }
            match self.watch.poll(&self.running) {
                Polled::Unchanged => {}
                Polled::Faulty(faults) => {
                    tracing::error!("the configuration file has faults; the settings in use stay");
                    for fault in &faults.0 {
                        tracing::error!("{fault}");
                    }
                }
                Polled::Changed(loaded, reload) => return Some(self.take(*loaded, &reload)),
            }
        }
    }

    fn take(&mut self, loaded: Loaded, reload: &Reload) -> Loaded {
        for change in reload.live() {
            tracing::info!(
                key = change.key.path,
                from = change.from,
                to = change.to,
                "setting changed"
            );
        }
        for change in reload.waiting() {
            tracing::warn!(
                key = change.key.path,
                from = change.from,
                to = change.to,
                "changed in the file; takes effect after a restart"
            );
        }
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let config = reload.apply(&self.running, &loaded.config);
        self.running = config.clone();
        Loaded { config, ..loaded }
    }
}
