//! Processes: a zombie, a frozen one, one that has ended, one at its limit of open files.
//!
//! Each is a shell script, which the kernel calls by the script's name.

use super::{Cause, Expected};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Waits until its input ends, as it does when this process ends.
const WAITS: &str = "#!/bin/sh\nread -r _\n";
/// Has ended as soon as it began.
const ENDS: &str = "#!/bin/sh\n";
/// Opens 37 files when it gets a line, and closes them at the next.
const GREEDY: &str = "#!/bin/bash\nread -r _\nfor fd in {3..36}; do eval \"exec $fd</dev/null\"; done\n\
                      read -r _\nfor fd in {3..36}; do eval \"exec $fd<&-\"; done\nread -r _\n";
/// Its limit of open files.
const LIMIT: u32 = 40;

/// The scripts, by names that no other test has.
pub(crate) struct Programs {
    frozen: PathBuf,
    missing: PathBuf,
    zombie: PathBuf,
    greedy: PathBuf,
}

impl Programs {
    /// Writes the scripts before any process is started: one that is open for writing cannot be run.
    pub(crate) fn new(dir: &Path) -> Self {
        let script = |name: &str, text: &str| {
            let path = dir.join(format!("{name}-{}", std::process::id()));
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        Self {
            frozen: script("frozen", WAITS),
            missing: script("gone", WAITS),
            zombie: script("zombie", ENDS),
            greedy: script("greedy", GREEDY),
        }
    }

    /// Returns the names of those that are watched.
    fn watched(&self) -> [&str; 3] {
        [&self.frozen, &self.missing, &self.greedy].map(|path| name(path))
    }

    /// Returns the part of the configuration that watches them, and what follows it.
    pub(crate) fn settings(&self, rest: &str) -> String {
        format!("processes = {:?}\n{rest}", self.watched())
    }

    /// Returns how many of them run before anything happens.
    pub(crate) fn number(&self) -> i64 {
        if super::is_nightly() { 3 } else { 2 }
    }

    /// Returns the query for how many of them were seen.
    pub(crate) fn seen(&self) -> String {
        let names = self.watched().map(|name| format!("'{name}'")).join(", ");
        format!(
            "select count(distinct process_name) from collector.process_metrics_raw where watched and process_name in ({names})"
        )
    }

    pub(crate) fn zombie(&self) -> Zombie {
        Zombie {
            path: self.zombie.clone(),
            child: None,
        }
    }

    pub(crate) fn frozen(&self) -> Frozen {
        Frozen(Running::start(
            &mut Command::new(&self.frozen),
            &self.frozen,
        ))
    }

    pub(crate) fn missing(&self) -> Missing {
        Missing {
            path: self.missing.clone(),
            running: Some(Running::start(
                &mut Command::new(&self.missing),
                &self.missing,
            )),
        }
    }

    pub(crate) fn greedy(&self) -> Greedy {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={LIMIT}")).arg(&self.greedy);
        Greedy(Running::start(&mut command, &self.greedy))
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// A process that ends with this value.
struct Running {
    name: String,
    child: Child,
}

impl Running {
    fn start(command: &mut Command, path: &Path) -> Self {
        Self {
            name: name(path).to_owned(),
            child: command.stdin(Stdio::piped()).spawn().unwrap(),
        }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn line(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn expected(&self, rule: &'static str) -> Expected {
        Expected {
            rule,
            target: format!("{} {}", self.name, self.pid()),
            severity: "warn",
            message: String::new(),
            metric: "",
            step: "",
            command: String::new(),
            confirm_secs: 0,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A process that has ended and whose parent, this test, does not ask how.
pub(crate) struct Zombie {
    path: PathBuf,
    child: Option<Running>,
}

impl Cause for Zombie {
    fn begin(&mut self) {
        self.child = Some(Running::start(&mut Command::new(&self.path), &self.path));
    }

    fn expected(&self) -> Expected {
        let child = self.child.as_ref().unwrap();
        Expected {
            message: format!("{} (PID {}) is a zombie", child.name, child.pid()),
            step: "Its parent does not reap it; restart the parent:",
            command: format!("ps -o pid,ppid,stat,wchan:32,etime,args -p {}", child.pid()),
            ..child.expected("process_state")
        }
    }

    fn end(&mut self) {
        drop(self.child.take());
    }
}

/// A process that is stopped.
pub(crate) struct Frozen(Running);

impl Cause for Frozen {
    fn begin(&mut self) {
        self.0.signal("STOP");
    }

    fn expected(&self) -> Expected {
        Expected {
            message: format!("{} (PID {}) is stopped", self.0.name, self.0.pid()),
            step: "Continue it, unless it is being debugged:",
            command: format!("kill -CONT {}", self.0.pid()),
            ..self.0.expected("process_state")
        }
    }

    fn end(&mut self) {
        self.0.signal("CONT");
    }
}

/// A watched process that ends, and is started again.
pub(crate) struct Missing {
    path: PathBuf,
    running: Option<Running>,
}

impl Cause for Missing {
    fn begin(&mut self) {
        self.running = None;
    }

    fn expected(&self) -> Expected {
        let name = name(&self.path);
        Expected {
            rule: "process_missing",
            target: name.to_owned(),
            severity: "critical",
            message: format!("No process {name} is running"),
            metric: "",
            step: "It ran before; see why it ended, and start it:",
            command: "systemctl --failed".to_owned(),
            confirm_secs: 20,
        }
    }

    fn end(&mut self) {
        self.running = Some(Running::start(&mut Command::new(&self.path), &self.path));
    }
}

/// A process near its limit of open files.
pub(crate) struct Greedy(Running);

impl Cause for Greedy {
    fn begin(&mut self) {
        self.0.line();
    }

    fn expected(&self) -> Expected {
        let pid = self.0.pid();
        Expected {
            // Bash holds its script and perhaps another.
            message: format!(" of {LIMIT} files open"),
            metric: "process_one.fd_count",
            step: "See what it has open; raise LimitNOFILE",
            command: format!(
                "ls -l /proc/{pid}/fd | awk '{{print $NF}}' | sort | uniq -c | sort -rn | head"
            ),
            confirm_secs: 60,
            ..self.0.expected("process_files")
        }
    }

    fn end(&mut self) {
        self.0.line();
    }
}
