//! The processes that `up` keeps running, and their end.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::process::Child;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::process::{Identity, Record, command, gentle_signal};
use super::server::{self, Server};
use super::state::State;

/// A process that ran this long is well: the pause before its next restart is the shortest again.
const WELL: Duration = Duration::from_secs(60);
/// Shortest and longest pause before a restart.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Shutdown, counted from the signal: programs are killed, the server is stopped at once instead
/// of in good order, and everything is killed.
const PROGRAMS_KILLED: Duration = Duration::from_millis(2500);
const SERVER_HURRIED: Duration = Duration::from_millis(4000);
const ALL_KILLED: Duration = Duration::from_millis(4600);

/// How long a server may write its last checkpoint when nothing waits for its end.
const CHECKPOINT: Duration = Duration::from_secs(300);

/// A program beside the server.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Name in messages and in the record.
    pub(crate) name: &'static str,
    /// The executable.
    pub(crate) path: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// Variables set for it.
    pub(crate) env: Vec<(&'static str, String)>,
    /// Variables it must not inherit.
    pub(crate) unset: Vec<&'static str>,
}

/// What is kept running.
#[derive(Debug)]
enum Kind {
    Server(Server),
    Program(Program),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Server(server) => server.name,
            Self::Program(program) => program.name,
        }
    }
}

#[derive(Debug)]
struct Member {
    kind: Kind,
    running: Option<(Child, Identity)>,
    since: Instant,
    pause: Duration,
    restart_at: Option<Instant>,
    /// For which end of the server the end of its log was shown, since it last ran well.
    explained: Option<ExitStatus>,
}

/// Everything that runs for one `up`.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    state: &'a State,
    record: Record,
    members: Vec<Member>,
}

impl<'a> Fleet<'a> {
    /// Begins with nothing running.
    pub(crate) fn new(state: &'a State, record: Record) -> Self {
        Self {
            state,
            record,
            members: Vec::new(),
        }
    }

    /// Starts the server and waits until it answers.
    pub(crate) async fn start_server(&mut self, server: Server) -> Result<()> {
        server::wait_for_orphans(&server.data).await;
        let data = server.data.clone();
        let index = self.start(Kind::Server(server))?;
        let Some((child, process)) = &mut self.members[index].running else {
            return Ok(());
        };
        server::wait_ready(self.state, &data, child, process).await
    }

    /// Starts a program; it is kept running from now on.
    pub(crate) fn start_program(&mut self, program: Program) -> Result<()> {
        self.start(Kind::Program(program)).map(|_| ())
    }

    fn start(&mut self, kind: Kind) -> Result<usize> {
        let mut member = Member {
            kind,
            running: None,
            since: Instant::now(),
            pause: PAUSES.0,
            restart_at: None,
            explained: None,
        };
        let running = launch(self.state, &member.kind)?;
        self.record.note(member.kind.name(), running.1.clone())?;
        member.running = Some(running);
        self.members.push(member);
        Ok(self.members.len() - 1)
    }

    /// Looks after every process: one that ended is started again after a pause, which doubles
    /// until it runs well. To be called whenever a child ended or [`Fleet::next_restart`] came.
    pub(crate) fn look_after(&mut self) {
        let now = Instant::now();
        for member in &mut self.members {
            let name = member.kind.name();
            if let Some((child, _)) = &mut member.running
                && let Ok(Some(status)) = child.try_wait()
            {
                member.running = None;
                if now.duration_since(member.since) >= WELL {
                    member.pause = PAUSES.0;
                    member.explained = None;
                }
                // Programs say what is wrong to our standard error, the server to its log.
                let reason = match member.kind {
                    Kind::Server(_) if member.explained != Some(status) => {
                        server::log_end(self.state)
                    }
                    Kind::Server(_) => format!("; see {}", self.state.server_log().display()),
                    Kind::Program(_) => String::new(),
                };
                member.explained = Some(status);
                crate::say(&format!(
                    "{name} ended ({status}); it starts again in {} s{reason}",
                    member.pause.as_secs()
                ));
                member.restart_at = Some(now + member.pause);
                member.pause = (member.pause * 2).min(PAUSES.1);
            }
            if member.restart_at.is_some_and(|at| at <= now) {
                member.restart_at = None;
                member.since = now;
                let started = launch(self.state, &member.kind).and_then(|running| {
                    self.record.note(name, running.1.clone()).map(|()| running)
                });
                match started {
                    Ok(running) => {
                        crate::say(&format!("{name} started again"));
                        member.running = Some(running);
                    }
                    Err(error) => {
                        crate::say(&format!("{name} did not start: {error:#}"));
                        member.restart_at = Some(now + member.pause);
                        member.pause = (member.pause * 2).min(PAUSES.1);
                    }
                }
            }
        }
    }

    /// Returns how a program ended that is not running now, if it has ended.
    pub(crate) fn ended(&mut self, name: &str) -> Option<ExitStatus> {
        let member = self
            .members
            .iter_mut()
            .find(|member| member.kind.name() == name)?;
        let (child, _) = member.running.as_mut()?;
        child.try_wait().ok().flatten()
    }

    /// Sleeps until a restart is due; for ever when none is.
    pub(crate) async fn next_restart(&self) {
        match self
            .members
            .iter()
            .filter_map(|member| member.restart_at)
            .min()
        {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Stops everything in order: programs, then the server, within five seconds.
    pub(crate) async fn stop(&mut self) {
        let begin = Instant::now();
        self.signal_programs(None);
        self.end_programs(begin + PROGRAMS_KILLED).await;
        for (child, process) in self.servers() {
            server::stop(child, process, begin + SERVER_HURRIED, begin + ALL_KILLED).await;
        }
        self.forget();
    }

    /// Stops everything at once. The spool and the server's WAL make that safe.
    pub(crate) async fn kill(&mut self) {
        let begin = Instant::now();
        self.signal_programs(Some(Signal::KILL));
        self.end_programs(begin + Duration::from_millis(200)).await;
        for (child, process) in self.servers() {
            server::stop(child, process, begin, begin + Duration::from_millis(700)).await;
        }
        self.forget();
    }

    /// Stops every server in good order, however long its last checkpoint takes, while no program runs yet.
    ///
    /// # Errors
    /// When one did not end in order: what it has on disk is complete only after recovery.
    pub(crate) async fn stop_servers(&mut self) -> Result<()> {
        let deadline = Instant::now() + CHECKPOINT;
        for (child, process) in self.servers() {
            let status = server::stop(child, process, deadline, deadline).await;
            if !status.is_some_and(|status| status.success()) {
                anyhow::bail!("a server did not stop in order");
            }
        }
        self.forget();
        Ok(())
    }

    fn servers(&mut self) -> impl Iterator<Item = (&mut Child, &Identity)> {
        self.members
            .iter_mut()
            .filter(|member| matches!(member.kind, Kind::Server(_)))
            .filter_map(|member| {
                member
                    .running
                    .as_mut()
                    .map(|(child, process)| (child, &*process))
            })
    }

    fn programs(&mut self) -> impl Iterator<Item = (&'static str, &mut (Child, Identity))> {
        self.members
            .iter_mut()
            .filter(|member| matches!(member.kind, Kind::Program(_)))
            .filter_map(|member| {
                member
                    .running
                    .as_mut()
                    .map(|running| (member.kind.name(), running))
            })
    }

    /// Has these programs read their settings again.
    pub(crate) fn hang_up(&mut self, names: &[&str]) {
        for (_, (_, process)) in self.programs().filter(|(name, _)| names.contains(name)) {
            process.signal(Signal::HUP);
        }
    }

    /// Sends `signal` to every program, or to each the one that stops it in good order.
    fn signal_programs(&mut self, signal: Option<Signal>) {
        for (name, (_, process)) in self.programs() {
            process.signal(signal.unwrap_or_else(|| gentle_signal(name)));
        }
    }

    /// Waits for the programs; those that still run at `deadline` are killed.
    async fn end_programs(&mut self, deadline: Instant) {
        for (name, (child, process)) in self.programs() {
            if timeout_at(deadline, child.wait()).await.is_err() {
                crate::say(&format!("{name} did not stop in time and is killed"));
                process.signal(Signal::KILL);
                if let Err(error) = child.wait().await {
                    crate::say(&format!("cannot wait for {name}: {error}"));
                }
            }
        }
    }

    fn forget(&mut self) {
        self.members.clear();
        if let Err(error) = self.record.clear() {
            crate::say(&format!("{error:#}"));
        }
    }
}

/// Starts a process; everything it prints goes to our standard error.
fn launch(state: &State, kind: &Kind) -> Result<(Child, Identity)> {
    let child = match kind {
        Kind::Server(server) => server::spawn(state, server)?,
        Kind::Program(program) => {
            let mut command = command(&program.path, None, gentle_signal(program.name));
            command
                .args(&program.args)
                .envs(program.env.iter().map(|(name, value)| (name, value)));
            for name in &program.unset {
                command.env_remove(name);
            }
            let messages = std::io::stderr()
                .as_fd()
                .try_clone_to_owned()
                .context("cannot share stderr")?;
            command
                .stdout(Stdio::from(messages))
                .spawn()
                .with_context(|| format!("cannot start {}", program.path.display()))?
        }
    };
    let process = child
        .id()
        .and_then(|pid| Identity::of(i32::try_from(pid).ok()?))
        .with_context(|| format!("{} ended at once", kind.name()))?;
    Ok((child, process))
}
