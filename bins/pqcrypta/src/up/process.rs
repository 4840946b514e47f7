//! Processes: how they are started, identified and stopped.
//!
//! No process may outlive its `up`. Each is started through `setpriv --pdeathsig`, where the
//! machine has it, so the kernel signals it when `up` dies, by `kill -9` too. And each is noted in
//! the state directory with its start time and the boot, so that the next `up` finds what was left
//! behind, recognises it beyond doubt (a pid alone is used again by others) and ends it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::state::User;

/// A process of this boot, beyond doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Process id.
    pub(crate) pid: i32,
    /// Clock ticks from boot to its start.
    start: u64,
}

impl Identity {
    /// Returns the process that has this id now.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self {
            pid,
            start: start_of(&stat)?,
        })
    }

    /// Returns whether it still runs; one that ended and was not waited for does not.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal, if it still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = Pid::from_raw(self.pid)
            && let Err(error) = kill_process(pid, signal)
        {
            crate::say(&format!("cannot signal process {}: {error}", self.pid));
        }
    }

    /// Waits until it has ended, at most until `deadline`.
    pub(crate) async fn wait_until(&self, deadline: Instant) -> bool {
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(Duration::from_millis(20)).await;
        }
        true
    }
}

/// Parses the start time from the text of `/proc/PID/stat`; `None` for a process that has ended.
fn start_of(stat: &str) -> Option<u64> {
    // The name, in brackets, may hold anything; the state follows the last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// What an `up` has started, kept in a file.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    boot: String,
    entries: Vec<(String, Identity)>,
}

impl Record {
    /// Returns the record at `path`, of this boot; an unreadable one is empty.
    pub(crate) fn read(path: &Path) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.trim().to_owned();
        let text = fs::read_to_string(path).unwrap_or_default();
        let entries = text.lines().filter_map(|line| parse(line, &boot)).collect();
        Self {
            path: path.to_path_buf(),
            boot,
            entries,
        }
    }

    /// Notes that `name` runs as `process`, in place of an earlier one of that name.
    pub(crate) fn note(&mut self, name: &str, process: Identity) -> Result<()> {
        self.entries.retain(|(known, _)| known != name);
        self.entries.push((name.to_owned(), process));
        self.write()
    }

    /// Forgets everything: all have ended.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.entries.clear();
        self.write()
    }

    fn write(&self) -> Result<()> {
        let text: String = self
            .entries
            .iter()
            .map(|(name, process)| {
                format!("{name} {} {} {}\n", process.pid, process.start, self.boot)
            })
            .collect();
        let draft = self.path.with_extension("new");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &self.path))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Ends what an earlier `up` left behind: the programs first, then the server.
    pub(crate) async fn end_leftovers(&mut self) -> Result<()> {
        let (servers, programs): (Vec<_>, Vec<_>) = self
            .entries
            .drain(..)
            .partition(|(name, _)| is_server(name));
        for (name, process) in programs.into_iter().chain(servers) {
            if !process.is_alive() {
                continue;
            }
            crate::say(&format!(
                "ending {name} ({}), left behind by an earlier start",
                process.pid
            ));
            process.signal(gentle_signal(&name));
            if !process
                .wait_until(Instant::now() + Duration::from_secs(5))
                .await
            {
                process.signal(Signal::KILL);
                process
                    .wait_until(Instant::now() + Duration::from_secs(2))
                    .await;
            }
        }
        self.write()
    }
}

/// Returns the signal that makes `name` stop in good order.
pub(crate) fn gentle_signal(name: &str) -> Signal {
    // SIGTERM makes PostgreSQL wait for its clients; SIGINT disconnects them.
    if is_server(name) {
        Signal::INT
    } else {
        Signal::TERM
    }
}

fn is_server(name: &str) -> bool {
    name.starts_with(super::server::NAME)
}

fn parse(line: &str, boot: &str) -> Option<(String, Identity)> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    let process = Identity {
        pid: words.next()?.parse().ok()?,
        start: words.next()?.parse().ok()?,
    };
    (words.next()? == boot).then_some((name, process))
}

/// Returns a command that runs `program` as `user` in a process group of its own (so that Ctrl-C reaches
/// `up` alone, which stops the others in order) and gets `on_death` when `up` dies. The kernel sends that
/// signal when the *thread* ends that started the program: it may be started by the main thread alone, which
/// is where the runtime of this program runs everything.
pub(crate) fn command(program: &Path, user: Option<&User>, on_death: Signal) -> Command {
    let mut command = match find_setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.arg("--pdeathsig").arg(if on_death == Signal::INT {
                "INT"
            } else {
                "TERM"
            });
            if let Some(user) = user {
                command
                    .arg(format!("--reuid={}", user.uid))
                    .arg(format!("--regid={}", user.gid));
                command.arg("--init-groups");
            }
            command.arg("--").arg(program);
            command
        }
        None => {
            let mut command = Command::new(program);
            if let Some(user) = user {
                command.as_std_mut().uid(user.uid).gid(user.gid);
            }
            command
        }
    };
    command.as_std_mut().process_group(0);
    command.stdin(std::process::Stdio::null());
    command
}

fn find_setpriv() -> Option<&'static str> {
    ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .find(|path| Path::new(path).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_follows_any_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        assert_eq!(start_of(&format!("7 (a) R 1 (b)) {rest}")), Some(4242));
        assert_eq!(
            start_of(&format!("7 (x) {}", rest.replacen('S', "Z", 1))),
            None
        );
        assert_eq!(start_of("7 (x"), None);
    }

    #[test]
    fn a_record_of_another_boot_is_ignored() {
        assert!(parse("collector 12 99 boot-a", "boot-a").is_some());
        assert!(parse("collector 12 99 boot-a", "boot-b").is_none());
        assert!(parse("collector 12", "boot-b").is_none());
    }

    #[test]
    fn a_process_is_distinguished_from_a_later_one_with_its_pid() {
        let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.is_alive());
        assert!(
            !Identity {
                start: me.start + 1,
                ..me
            }
            .is_alive()
        );
    }

    #[tokio::test]
    async fn a_leftover_is_ended_and_a_stranger_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("processes");
        let mut sleeper = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mut stranger = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let left = Identity::of(i32::try_from(sleeper.id()).unwrap()).unwrap();
        let other = Identity::of(i32::try_from(stranger.id()).unwrap()).unwrap();
        let mut record = Record::read(&path);
        record.note("collector", left).unwrap();
        record
            .note(
                "monitor",
                Identity {
                    start: other.start + 1,
                    ..other.clone()
                },
            )
            .unwrap();
        Record::read(&path).end_leftovers().await.unwrap();
        assert!(sleeper.try_wait().unwrap().is_some());
        assert!(other.is_alive());
        assert!(Record::read(&path).entries.is_empty());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
