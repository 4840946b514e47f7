//! What only logs tell: guessed passwords, and a package that was upgraded.

use super::{Agent, Cause, Expected};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Failed logins within five minutes that are brute force.
const ATTEMPTS: usize = 6;
/// From documentation's network.
const ADDRESS: &str = "203.0.113.77";
/// When the passwords were guessed. An attack is over an hour after its last attempt; of one that is read late little of that
/// hour is left.
const GUESSED: &str = "-56 minutes";

/// How many of the logs were read so far.
pub(crate) const SEEN: &str =
    "select count(*) from collector.log_positions where source in ('auth', 'packages')";

/// The logs, which are there before the collector is: what is appended later is read.
pub(crate) struct Lines {
    auth: PathBuf,
    packages: PathBuf,
}

impl Lines {
    pub(crate) fn new(dir: &Path) -> Self {
        let log = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let logged_in = format!(
            "{} db1 sshd[7]: Server listening on :: port 22.\n",
            stamp("now")
        );
        let begun = format!("{} startup archives unpack\n", local());
        Self {
            auth: log("auth.log", &logged_in),
            packages: log("dpkg.log", &begun),
        }
    }

    /// Returns the part of the configuration that reads them.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[[logs.source]]\nname = \"auth\"\npath = \"{}\"\nparser = \"syslog\"\n\
             [[logs.source]]\nname = \"packages\"\npath = \"{}\"\nparser = \"simple_timestamp\"\n",
            self.auth.display(),
            self.packages.display()
        )
    }

    pub(crate) fn guesses(&self) -> Guesses {
        Guesses(self.auth.clone())
    }

    /// Returns the upgrade of a package that asks for a restart, in the mount namespace of the collector.
    pub(crate) fn upgrade(&self, agent: &Agent) -> Upgrade {
        let run = PathBuf::from(format!("/proc/{}/root/run", agent.child.id()));
        Upgrade {
            log: self.packages.clone(),
            required: run.join("reboot-required"),
        }
    }
}

/// Formats a time as the system log does.
fn stamp(when: &str) -> String {
    date(&["--date", when, "+%FT%T.%6N%:z"])
}

/// Formats the present as dpkg does.
fn local() -> String {
    date(&["+%F %T"])
}

fn date(arguments: &[&str]) -> String {
    let output = Command::new("date").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn append(path: &Path, text: &str) {
    let file = OpenOptions::new().append(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Passwords that are guessed.
pub(crate) struct Guesses(PathBuf);

impl Cause for Guesses {
    fn begin(&mut self) {
        let at = stamp(GUESSED);
        let line =
            format!("{at} db1 sshd[8]: Failed password for root from {ADDRESS} port 41022 ssh2\n");
        append(&self.0, &line.repeat(ATTEMPTS));
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "ssh_brute_force",
            target: ADDRESS.to_owned(),
            severity: "warn",
            message: format!("{ADDRESS}: {ATTEMPTS} failed logins"),
            metric: "",
            step: "Block the address: `ufw deny from 203.0.113.77`",
            command: String::new(),
            // Logs are judged soon after lines that a rule may find.
            confirm_secs: 60,
        }
    }

    fn end(&mut self) {}
}

/// A package that is upgraded and asks for a restart.
pub(crate) struct Upgrade {
    log: PathBuf,
    required: PathBuf,
}

impl Cause for Upgrade {
    fn begin(&mut self) {
        append(
            &self.log,
            &format!("{} upgrade libc6:amd64 2.36-9 2.36-10\n", local()),
        );
        fs::write(&self.required, "*** System restart required ***\n").unwrap();
        fs::write(self.required.with_extension("pkgs"), "libc6\n").unwrap();
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "system.reboot_required",
            target: String::new(),
            severity: "warn",
            message: "An installed package asks for a restart of the host".to_owned(),
            metric: "system.reboot_required",
            step: "Restart the host when it may be interrupted",
            command: "systemctl reboot".to_owned(),
            // It is looked for once a minute.
            confirm_secs: 420,
        }
    }

    fn end(&mut self) {
        fs::remove_file(&self.required).unwrap();
    }

    fn marker(&self) -> Option<&'static str> {
        Some("package libc6 upgraded 2.36-9 2.36-10")
    }
}
