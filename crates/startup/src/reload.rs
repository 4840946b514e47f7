//! Follows the configuration file: when it is valid it is applied; otherwise the settings in use stay and the faults are
//! logged: once, when asked (SIGHUP) each time. Its callers decide when it is looked at.

use config::{Config, Environment, Faults, Loaded, Machine, Polled, Reload, Watch};

/// Follows one configuration.
#[derive(Debug)]
pub struct Reloader {
    watch: Watch,
    running: Config,
}

impl Reloader {
    /// Follows the configuration that was loaded.
    #[must_use]
    pub fn new(loaded: &Loaded, environment: Environment) -> Self {
        Self {
            watch: Watch::new(loaded, environment, Machine::this()),
            running: loaded.config.clone(),
        }
    }

    /// Returns the configuration in use.
    #[must_use]
    pub const fn running(&self) -> &Config {
        &self.running
    }

    /// Returns the configuration when it differs and the program's own `check` has no fault, with the changes that need no
    /// restart applied.
    pub fn check(
        &mut self,
        is_asked: bool,
        check: impl FnOnce(&Loaded) -> Result<(), Faults>,
    ) -> Option<Loaded> {
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
            Polled::Changed(loaded, reload) => match check(&loaded) {
                Ok(()) => return Some(self.take(*loaded, &reload)),
                Err(faults) => refuse(&faults),
            },
        }
        None
    }

    /// Applies the changes that need no restart and logs all of them.
    fn take(&mut self, loaded: Loaded, reload: &Reload) -> Loaded {
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
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let config = reload.apply(&self.running, &loaded.config);
        self.running = config.clone();
        Loaded { config, ..loaded }
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
