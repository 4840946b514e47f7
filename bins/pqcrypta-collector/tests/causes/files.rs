//! A small file system that is filled.
//!
//! It is mounted in a mount namespace of the collector, so that no other process sees it and it is gone with the
//! collector, however the test ends.

use super::{Agent, Cause, Expected};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the file in a file system of 8 MiB: 95 %.
const FILE: usize = 8 * 1024 * 1024 / 100 * 95;

/// A file system that is not mounted yet.
pub(crate) struct FullFileSystem {
    mount: PathBuf,
}

impl FullFileSystem {
    /// Returns none where mounting does not work, and prints why.
    pub(crate) fn new(dir: &Path) -> Option<Self> {
        let mount = dir.join("full");
        fs::create_dir(&mount).unwrap();
        let space = Self { mount };
        let tried = Command::new("unshare")
            .args(&space.command()[1..])
            .arg("true")
            .output();
        let fault = match tried {
            Ok(output) if output.status.success() => return Some(space),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        println!("SKIPPED: a full file system, as mounting does not work here: {fault}");
        None
    }

    /// Returns the command that mounts it and then runs another.
    pub(crate) fn command(&self) -> Vec<String> {
        // An empty /run, in which a package may ask for a restart.
        const SCRIPT: &str =
            "mount -t tmpfs -o size=8m none \"$0\" && mount -t tmpfs none /run && exec \"$@\"";
        let mount = self.mount.display().to_string();
        ["unshare", "--mount", "sh", "-c", SCRIPT, &mount]
            .map(str::to_owned)
            .to_vec()
    }

    /// Returns it as the collector sees it.
    pub(crate) fn of(self, agent: &Agent) -> Full {
        let root = PathBuf::from(format!("/proc/{}/root", agent.child.id()));
        let inside = self.mount.strip_prefix("/").unwrap();
        Full {
            file: root.join(inside).join("file"),
            mount: self.mount.display().to_string(),
        }
    }
}

/// A mounted one.
pub(crate) struct Full {
    file: PathBuf,
    mount: String,
}

impl Cause for Full {
    fn begin(&mut self) {
        fs::write(&self.file, vec![0; FILE]).unwrap();
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "mount.used_pct",
            target: self.mount.clone(),
            severity: "critical",
            message: format!("File system {} is 95", self.mount),
            metric: "mount.used_pct",
            step: "Find what grew: du -x on the mount point",
            command: format!("du -xh --max-depth=2 {} | sort -h | tail -20", self.mount),
            confirm_secs: 20,
        }
    }

    fn end(&mut self) {
        fs::remove_file(&self.file).unwrap();
    }
}
