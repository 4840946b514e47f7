//! Follows the configuration file: looked at every minute and at SIGHUP, taken when it is good, else
//! the one in force stays and the faults are said once, at SIGHUP each time.

use config::{Config, Environment, Faults, Loaded, Machine, Polled, Reload, Watch};
use logs::source::OwnOutput;
use std::time::Duration;
use tokio::sync::{Notify, watch};

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
    pub(crate) async fn next(
        &mut self,
        reload: &Notify,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Loaded> {
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = reload.notified() => true,
                _ = stop.changed() => return None,
            };
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
                    match OwnOutput::of_this_process().check(&loaded) {
                        Ok(()) => return Some(self.take(*loaded, &reload)),
                        Err(faults) => refuse(&faults),
                    }
                }
            }
        }
    }

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

/// One message, whatever is wrong.
fn refuse(faults: &Faults) {
    let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    tracing::error!(
        "the configuration is not taken over, the settings in use stay: {}",
        faults.join(" | ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use tempfile::TempDir;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// P20: a file with faults changes nothing; the next good one does, but for what needs a restart.
    #[tokio::test(start_paused = true)]
    async fn p20_a_bad_file_keeps_the_settings_in_use() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("collector.toml");
        write(&file, "[intervals]\nsystem_secs = 10\n");
        let environment = Environment::of([] as [(&str, &str); 0]);
        let loaded = Config::load(Some(&file), &environment).unwrap();
        let mut reloader = Reloader::new(&loaded, environment);
        let (stop, mut stopped) = watch::channel(false);
        let asked = Notify::new();

        for bad in [
            "[intervals]\nsystem_secs = 0\n",
            "[intervals]\nsystem_sec = 5\n",
            "[interv",
            "",
        ] {
            write(&file, bad);
            let waited =
                tokio::time::timeout(LOOK_EVERY * 3, reloader.next(&asked, &mut stopped)).await;
            assert!(waited.is_err() || bad.is_empty(), "{bad}");
        }
        assert_eq!(reloader.running.intervals.system_secs, 10);

        write(
            &file,
            "[intervals]\nsystem_secs = 20\n[database]\nname = \"other\"\n",
        );
        let next = reloader.next(&asked, &mut stopped).await.unwrap();
        assert_eq!(next.config.intervals.system_secs, 20);
        assert_eq!(next.config.database.name, loaded.config.database.name);

        // SIGHUP does not wait for the next look.
        write(&file, "[intervals]\nsystem_secs = 30\n");
        asked.notify_one();
        let at_once =
            tokio::time::timeout(Duration::from_secs(1), reloader.next(&asked, &mut stopped));
        let next = at_once.await.unwrap().unwrap();
        assert_eq!(next.config.intervals.system_secs, 30);

        stop.send_replace(true);
        assert!(reloader.next(&asked, &mut stopped).await.is_none());
    }
}
