//! The collector as it is installed, started for a measurement.

use anyhow::{Context, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use testkit::Server;

/// Processes that end with this value.
pub(crate) struct Children(pub(crate) Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Builds the release binary of a package of ours.
pub(crate) fn build(package: &str) -> anyhow::Result<PathBuf> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", package])
        .status()?;
    ensure!(built.success(), "{package} does not build");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace")?;
    Ok(root.join("target/release").join(package))
}

/// A file that is read as a log.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) parser: &'static str,
}

/// A collector that runs until this value ends.
pub(crate) struct Collector(Children);

impl Collector {
    /// Starts it for a server, with a tick of the host every `secs` and these sources of logs; without
    /// any, the usual ones.
    pub(crate) fn start(
        binary: &Path,
        server: &Server,
        dir: &Path,
        secs: u64,
        sources: &[Source],
    ) -> anyhow::Result<Self> {
        let target = server.target();
        let pg::Host::Socket(socket) = &target.host else {
            anyhow::bail!("the server has a socket")
        };
        let mut text = format!(
            "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n[intervals]\nsystem_secs = {secs}\n\
             [collector]\nqueue_dir = \"{}\"\n",
            socket.display(),
            target.port,
            target.database,
            target.user,
            dir.join("queue").display(),
        );
        for Source { name, path, parser } in sources {
            let path = path.display();
            text += &format!(
                "[[logs.source]]\nname = \"{name}\"\npath = \"{path}\"\nparser = \"{parser}\"\n"
            );
        }
        let config = dir.join("collector.toml");
        fs::write(&config, text)?;
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
        let child = Command::new(binary)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(Children(vec![child])))
    }

    /// Returns its process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.0.first().map_or(0, Child::id)
    }
}
