//! Follows the configuration file: it is checked every minute and at SIGHUP, and applied when it is valid. Otherwise
//! the settings in use stay and the faults are logged: once, at SIGHUP each time.

use crate::settings;
use config::{Config, Environment, Faults, Loaded, Machine, Polled, Watch};

/// Follows one configuration.
#[derive(Debug)]
pub(crate) struct Reloader {
    watch: Watch,
    running: Config,
}

impl Reloader {
    /// Follows the configuration that was loaded.
    pub(crate) fn new(loaded: &Loaded, environment: Environment) -> Self {
        Self {
            watch: Watch::new(loaded, environment, Machine::this()),
            running: loaded.config.clone(),
        }
    }

    /// Returns the configuration when it differs, with the changes that need no restart applied.
    pub(crate) fn check(&mut self, is_asked: bool) -> Option<Config> {
        let polled = if is_asked {
            self.watch.reread(&self.running)
        } else {
            self.watch.poll(&self.running)
        };
        match polled {
            Polled::Unchanged if is_asked => {
                tracing::info!("SIGHUP: the configuration was read again and is the same");
            }
            Polled::Unchanged => {}
            Polled::Faulty(faults) => refuse(&faults),
            Polled::Changed(loaded, reload) => {
                if let Err(faults) = settings::check(&loaded) {
                    refuse(&faults);
                    return None;
                }
                for change in reload.live() {
                    tracing::info!(
                        key = change.slot.path(),
                        from = change.from,
                        to = change.to,
                        "setting changed"
                    );
                }
                for change in reload.waiting() {
                    tracing::warn!(
                        key = change.slot.path(),
                        from = change.from,
                        to = change.to,
                        "changed in the file; takes effect after a restart"
                    );
                }
                self.running = reload.apply(&self.running, &loaded.config);
                return Some(self.running.clone());
            }
        }
        None
    }
}

/// Logs every fault in one message.
fn refuse(faults: &Faults) {
    let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    tracing::error!(
        "the configuration is not taken over, the settings in use stay: {}",
        faults.join(" | ")
    );
}
