//! Follows the configuration file, every minute and at SIGHUP, and publishes what changed (`startup::Reloader`).

use crate::schedule::{Job, Needs, Plan, Turn, Wake};
use crate::settings;
use config::{Config, Environment, Loaded};
use logs::source::OwnOutput;
use std::sync::Arc;
use std::time::Duration;
use store::writer::WriterOptions;
use tokio::sync::{Notify, watch};

/// How often the file is checked.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// The configuration in use, for every task that follows it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) config: watch::Sender<Config>,
    /// Settings of the writer.
    pub(crate) options: watch::Sender<WriterOptions>,
    /// The effective settings as JSON, secrets masked.
    pub(crate) settings: watch::Sender<String>,
}

impl Published {
    /// Publishes the configuration that was loaded.
    pub(crate) fn new(loaded: &Loaded) -> Self {
        Self {
            config: watch::Sender::new(loaded.config.clone()),
            options: watch::Sender::new(settings::writer_options(&loaded.config)),
            settings: watch::Sender::new(settings::as_json(loaded)),
        }
    }

    fn send(&self, loaded: Loaded) {
        self.options
            .send_replace(settings::writer_options(&loaded.config));
        self.settings.send_replace(settings::as_json(&loaded));
        self.config.send_replace(loaded.config);
    }
}

/// Follows one configuration.
#[derive(Debug)]
pub(crate) struct Reloader {
    follower: startup::Reloader,
    asked: Arc<Notify>,
    published: Published,
}

impl Job for Reloader {
    const PLAN: Plan = Plan {
        name: "reload",
        needs: Needs::Nothing,
        is_recorded: false,
    };

    fn interval(&self, _: &Config) -> Duration {
        CHECK_EVERY
    }

    fn wake(&self) -> Wake {
        Wake::AtOnce(Arc::clone(&self.asked))
    }

    async fn run(&mut self, turn: Turn) -> anyhow::Result<usize> {
        let Some(loaded) = self.check(turn == Turn::Woken) else {
            return Ok(0);
        };
        self.published.send(loaded);
        Ok(1)
    }
}

impl Reloader {
    /// Follows the configuration that was loaded; `asked` is notified by SIGHUP.
    pub(crate) fn new(
        loaded: &Loaded,
        environment: Environment,
        asked: Arc<Notify>,
        published: Published,
    ) -> Self {
        Self {
            follower: startup::Reloader::new(loaded, environment),
            asked,
            published,
        }
    }

    /// Returns the configuration when it differs, with the changes that need no restart applied.
    fn check(&mut self, is_asked: bool) -> Option<Loaded> {
        self.follower.check(is_asked, |loaded| {
            OwnOutput::of_this_process().check(loaded)
        })
    }
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
    #[test]
    fn p20_a_bad_file_keeps_the_settings_in_use() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("collector.toml");
        write(&file, "[intervals]\nsystem_secs = 10\n");
        let environment = Environment::of([] as [(&str, &str); 0]);
        let loaded = Config::load(Some(&file), &environment).unwrap();
        let published = Published::new(&loaded);
        let mut reloader = Reloader::new(&loaded, environment, Arc::default(), published);

        for bad in [
            "[intervals]\nsystem_secs = 0\n",
            "[intervals]\nsystem_sec = 5\n",
            "[interv",
            "",
        ] {
            write(&file, bad);
            // Several times: a file that is being written is checked again.
            let checks = [(); 3].map(|()| reloader.check(false));
            assert!(
                checks.iter().all(Option::is_none) || bad.is_empty(),
                "{bad}"
            );
        }
        assert_eq!(reloader.follower.running().intervals.system_secs, 10);

        write(
            &file,
            "[intervals]\nsystem_secs = 20\n[database]\nname = \"other\"\n",
        );
        let next = (0..3).find_map(|_| reloader.check(false)).unwrap();
        assert_eq!(next.config.intervals.system_secs, 20);
        assert_eq!(next.config.database.name, loaded.config.database.name);

        // SIGHUP reads at once.
        write(&file, "[intervals]\nsystem_secs = 30\n");
        let next = reloader.check(true).unwrap();
        assert_eq!(next.config.intervals.system_secs, 30);
    }
}
