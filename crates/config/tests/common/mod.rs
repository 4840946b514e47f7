//! What the tests of this crate share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use config::{Config, Environment, Faults, Loaded, Machine};

/// Returns a machine with plenty of room on a disk.
pub fn roomy() -> Machine {
    Machine::of(|_| Some(1 << 30), |_| Some(false))
}

/// Loads `path` on a roomy machine.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, Faults> {
    Config::load_on(Some(path), environment, &roomy())
}

/// Writes a file with a mode.
pub fn write(dir: &Path, name: &str, content: &[u8], mode: u32) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Loads a text, kept in a file that is closed to others.
pub fn load_text(text: &str, environment: &Environment) -> Result<Loaded, Faults> {
    let dir = tempfile::tempdir().unwrap();
    load(
        &write(dir.path(), "collector.toml", text.as_bytes(), 0o600),
        environment,
    )
}

/// Returns the faults of a text, one a line, without the directory of its file.
pub fn refused(text: &str) -> String {
    let faults = load_text(text, &Environment::default()).expect_err(text);
    let text = faults.to_string();
    match text.split_once("/collector.toml") {
        Some((dir, _)) => text.replace(&format!("{dir}/"), ""),
        None => text,
    }
}

/// Returns an environment.
pub fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::of(variables.iter().copied())
}
