//! The configuration: a file, and the small languages within it.

use crate::seeds::files;
use config::{Config, Environment, HttpUrl, Machine, PgUrl};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Loads the input as a file. What was loaded loads again the same, and names no secret.
pub(crate) fn run(input: &[u8]) {
    let path = file();
    fs::write(path, input).expect("a file in a folder of ours");
    let machine = Machine::of(|_| Some(1 << 30), |_| Some(false));
    let environment = Environment::default();
    match Config::load_on(Some(path), &environment, &machine) {
        Ok(loaded) => {
            let again = Config::load_on(Some(path), &environment, &machine).expect("the same");
            assert_eq!(again.config, loaded.config);
        }
        Err(faults) => assert!(!faults.to_string().is_empty()),
    }
    if let Ok(text) = std::str::from_utf8(input) {
        drop(HttpUrl::parse(text));
        drop(PgUrl::parse(text));
        drop(config::mapping::Expression::parse(text));
    }
}

/// Returns the files that the tests of the settings load, and a text of each small language.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let found = files("config", ".toml").into_iter();
    let mut seeds: Vec<Vec<u8>> = found.map(|(_, content)| content).collect();
    seeds.extend([
        b"https://user@example.org:8443/metrics?x=1#y".to_vec(),
        b"http://[::1]:9100/".to_vec(),
        b"postgresql://user:secret@[::1]:5433/app?sslmode=verify-full&application_name=x".to_vec(),
        b"sum(rate(http_requests_total{code=~\"5..\",job!=\"x\"})) / 2 * 1000".to_vec(),
    ]);
    seeds
}

/// Returns the file that inputs are written to.
fn file() -> &'static PathBuf {
    static FILE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = FILE.get_or_init(|| {
        let dir = TempDir::new().expect("a folder");
        let path = dir.path().join("collector.toml");
        fs::write(&path, "").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        (dir, path)
    });
    path
}
