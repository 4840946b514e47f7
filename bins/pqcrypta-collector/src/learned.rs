//! What was learned about the usual values of this host, kept in a file.
//!
//! The file `normal` beside the queue is replaced once an hour and at the end, so that a restart continues where the last
//! run ended, whether the database answers or not. After a crash it is an hour old at most, and that hour is learned
//! no more. Without it, or where it is damaged, everything is learned anew, within a day.

use crate::findings::Findings;
use crate::schedule::{Job, Needs, Plan, Turn};
use anyhow::Context;
use config::Config;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAME: &str = "normal";
const NEW: &str = "normal.tmp";
/// Time between two runs.
const EVERY: Duration = Duration::from_secs(3600);

/// Continues what the file of this directory has.
pub(crate) fn restore(dir: &Path, findings: &Findings) {
    match fs::read(dir.join(NAME)) {
        Ok(bytes) => {
            let series = findings.restore_normal(&bytes);
            tracing::debug!(series, "usual values are known");
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "usual values cannot be read and are learned anew"),
    }
}

/// Saves what was learned.
#[derive(Debug)]
pub(crate) struct LearnedJob {
    pub(crate) dir: PathBuf,
    pub(crate) findings: Findings,
}

impl LearnedJob {
    async fn save(&self) -> anyhow::Result<usize> {
        let bytes = self.findings.save_normal();
        let dir = self.dir.clone();
        let count = bytes.len();
        tokio::task::spawn_blocking(move || write(&dir, &bytes)).await??;
        Ok(count)
    }
}

/// Replaces the file as a whole, so that it is never half written.
fn write(dir: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let (path, new) = (dir.join(NAME), dir.join(NEW));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&new, &path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

impl Job for LearnedJob {
    const PLAN: Plan = Plan {
        name: "learned",
        needs: Needs::Active,
        is_recorded: false,
    };

    fn interval(&self, _: &Config) -> Duration {
        EVERY
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        self.save().await
    }

    async fn close(self) {
        if let Err(error) = self.save().await {
            tracing::warn!(
                error = format!("{error:#}"),
                "what was learned in the last hour is learned anew"
            );
        }
    }
}
