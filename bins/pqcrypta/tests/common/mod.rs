//! Runs a subcommand on the database of a test.
#![allow(dead_code, reason = "not every test reads what went wrong")]

use std::fs;
use std::process::Command;

/// What a subcommand left.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit status.
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a subcommand with a configuration file of nothing but the database, and in UTC.
pub(crate) fn run(subcommand: &str, target: &pg::Target, arguments: &[&str]) -> Ran {
    run_with(subcommand, target, "", arguments)
}

/// The same with further sections in the file.
pub(crate) fn run_with(
    subcommand: &str,
    target: &pg::Target,
    more: &str,
    arguments: &[&str],
) -> Ran {
    let (mut command, _dir) = command(subcommand, target, more, arguments);
    let ran = command.output().unwrap();
    Ran {
        code: ran.status.code().unwrap(),
        output: String::from_utf8(ran.stdout).unwrap(),
        errors: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// Starts a subcommand; its folder is there as long as what is returned.
pub(crate) fn spawn_with(
    subcommand: &str,
    target: &pg::Target,
    more: &str,
    arguments: &[&str],
) -> (std::process::Child, tempfile::TempDir) {
    let (mut command, dir) = command(subcommand, target, more, arguments);
    (command.spawn().unwrap(), dir)
}

fn command(
    subcommand: &str,
    target: &pg::Target,
    more: &str,
    arguments: &[&str],
) -> (Command, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("collector.toml");
    let pg::Host::Socket(host) = &target.host else {
        panic!("the test's server is not on a socket");
    };
    let text = format!(
        "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n{more}",
        host.display(),
        target.port,
        target.database,
        target.user
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pqcrypta"));
    command
        .arg(subcommand)
        .args(arguments)
        .arg("--config")
        .arg(&config)
        .env_clear()
        .env("TZ", "UTC");
    (command, dir)
}
