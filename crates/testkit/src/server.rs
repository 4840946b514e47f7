//! A throw-away PostgreSQL server.

use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pg::{SessionOptions, Target};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::SimpleQueryMessage;

use crate::dice::Dice;
use crate::error::TestkitError;
use crate::setup::{Owner, copy, initialise, place, programs};

/// Rows as text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, a checkpoint is written.
    Fast,
    /// As after a power cut: the next start recovers from the log.
    Immediate,
}

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server is started with.
#[derive(Debug, Default)]
pub struct Builder {
    tcp: bool,
    fsync: bool,
    settings: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
    environment: Vec<(String, String)>,
    copied_from: Option<PathBuf>,
    programs: Option<PathBuf>,
}

impl Builder {
    /// Listens on a free loopback port too.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Writes to disk as in production; off by default, since tests outlive no power cut.
    #[must_use]
    pub fn fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Adds a setting of `postgresql.conf`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the data directory with mode 0600, e.g. `pg_hba.conf` or a certificate.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Sets a variable in the server's environment, e.g. `LANGUAGE` for the language of its messages.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Begins with a copy of the data of `server`, which must be stopped when this one is started. With
    /// the file `standby.signal` and the setting `primary_conninfo` it becomes its standby.
    #[must_use]
    pub fn copy_of(mut self, server: &Server) -> Self {
        self.copied_from = Some(server.data.clone());
        self
    }

    /// Begins with a copy of a data directory that no server runs in, when there is one.
    #[must_use]
    pub(crate) fn data(mut self, kept: Option<PathBuf>) -> Self {
        self.copied_from = kept;
        self
    }

    /// Takes the programs in this directory instead of those of all tests.
    #[must_use]
    pub fn programs(mut self, bin: &Path) -> Self {
        self.programs = Some(bin.to_owned());
        self
    }

    /// Initialises and starts the server.
    ///
    /// # Errors
    /// When there is no PostgreSQL here or it does not start; its log is in the error.
    pub fn start(self) -> Result<Server, TestkitError> {
        let bin = match &self.programs {
            Some(bin) => bin.clone(),
            None => programs()?,
        };
        let owner = Owner::find()?;
        let parent = if self.fsync {
            std::env::temp_dir()
        } else {
            place()
        };
        let dir = tempfile::Builder::new()
            .prefix("pqcrypta-testkit-")
            .tempdir_in(&parent)
            .map_err(TestkitError::io("create a directory in", parent))?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))
            .map_err(TestkitError::io("set the mode of", dir.path()))?;
        let socket_dir = dir.path().join("socket");
        fs::create_dir(&socket_dir).map_err(TestkitError::io("create", &socket_dir))?;
        owner.own(&socket_dir, 0o755)?;
        let data = dir.path().join("data");
        match &self.copied_from {
            None => initialise(&bin, owner, &data)?,
            Some(original) => copy(original, &data)?,
        }
        let port = if self.tcp { free_port()? } else { 5432 };
        let server = Server {
            reaper: reaper(dir.path())?,
            bin,
            owner,
            data,
            socket_dir,
            port,
            options: self,
            postmaster: Mutex::new(None),
            dir,
        };
        for (name, content) in &server.options.files {
            server.write_file(name, content)?;
        }
        server.start()?;
        Ok(server)
    }
}

/// A running PostgreSQL that is gone, with its data, when this value is dropped or the process ends.
/// Its superuser is `postgres`, without a password.
#[derive(Debug)]
pub struct Server {
    postmaster: Mutex<Option<Child>>,
    bin: PathBuf,
    owner: Owner,
    data: PathBuf,
    socket_dir: PathBuf,
    port: u16,
    options: Builder,
    reaper: Child,
    dir: TempDir,
}

impl Server {
    /// Returns a server with default options: Unix socket only, no fsync.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn new() -> Result<Self, TestkitError> {
        Builder::default().start()
    }

    /// Options to start a server with.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the server's database `postgres` over the Unix socket, as superuser.
    #[must_use]
    pub fn target(&self) -> Target {
        let socket = self.socket_dir.display().to_string();
        Target::new(&socket, self.port, "postgres", "postgres")
    }

    /// Returns the loopback address, when the server was asked to listen there.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.options
            .tcp
            .then(|| SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))
    }

    /// Returns [`Server::target`] over the loopback address, or over `address`, e.g. that of a proxy.
    #[must_use]
    pub fn target_at(&self, address: SocketAddr) -> Target {
        let host = address.ip().to_string();
        Target::new(&host, address.port(), "postgres", "postgres")
    }

    /// Returns the data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// Writes a file into the data directory, readable by the server alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_file(&self, name: &str, content: &[u8]) -> Result<(), TestkitError> {
        let path = self.data.join(name);
        fs::write(&path, content).map_err(TestkitError::io("write", &path))?;
        self.owner.own(&path, 0o600)
    }

    /// Starts the server and waits until it takes sessions. Nothing happens when it runs.
    ///
    /// # Errors
    /// When it does not start within a minute; the end of its log is in the error.
    pub fn start(&self) -> Result<(), TestkitError> {
        let mut postmaster = self.postmaster();
        if let Some(child) = postmaster.as_mut()
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            let mut child = self.launch()?;
            // It ends at once while backends of a killed predecessor still hold the shared memory.
            let ended = loop {
                if self.is_ready(&child) {
                    *postmaster = Some(child);
                    return Ok(());
                }
                if begun.elapsed() > PATIENCE {
                    drop(child.kill());
                    drop(child.wait());
                    break false;
                }
                if !matches!(child.try_wait(), Ok(None)) {
                    break true;
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            if !ended || !self.log().contains("shared memory block") {
                return Err(TestkitError::Server {
                    what: "start",
                    log: self.log(),
                });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops the server and waits until it is gone. Nothing happens when it does not run.
    ///
    /// # Errors
    /// When it does not stop within a minute.
    pub fn stop(&self, how: Stop) -> Result<(), TestkitError> {
        self.end(match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        })
    }

    /// Kills the postmaster; its backends end by themselves a moment later.
    ///
    /// # Errors
    /// When it is not gone within a minute.
    pub fn kill_postmaster(&self) -> Result<(), TestkitError> {
        self.end(Signal::KILL)
    }

    /// Returns the end of the server's log.
    #[must_use]
    pub fn log(&self) -> String {
        const MOST: usize = 4096;
        let log = fs::read(self.dir.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(MOST)..]).into_owned()
    }

    /// Runs statements as superuser in the database `postgres` and returns the rows of all of them.
    ///
    /// # Errors
    /// When there is no session or a statement fails.
    pub async fn sql(&self, text: &str) -> Result<Rows, TestkitError> {
        sql(&self.target(), text).await
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<Child>> {
        self.postmaster
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> Result<Child, TestkitError> {
        let log_path = self.dir.path().join("log");
        let log = File::create(&log_path).map_err(TestkitError::io("create", &log_path))?;
        let log_too = log
            .try_clone()
            .map_err(TestkitError::io("open", &log_path))?;
        let durable = if self.options.fsync { "on" } else { "off" };
        let listen = if self.options.tcp { "127.0.0.1" } else { "" };
        let mut socket = OsString::from("unix_socket_directories=");
        socket.push(&self.socket_dir);
        let mut command = Command::new(self.bin.join("postgres"));
        command.arg("-D").arg(&self.data).arg("-c").arg(socket);
        for (name, value) in [
            ("listen_addresses", listen),
            ("port", &self.port.to_string()),
            ("fsync", durable),
            ("full_page_writes", durable),
            ("shared_buffers", "16MB"),
            ("log_min_messages", "warning"),
            ("logging_collector", "off"),
        ] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.options.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let environment = self.options.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        self.owner
            .run(&mut command)
            // A terminal's interrupt is for the test, which then stops the server.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(TestkitError::io("run", self.bin.join("postgres")))
    }

    /// Returns whether the lock file of this very process states that sessions are accepted.
    fn is_ready(&self, child: &Child) -> bool {
        let lock = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines();
        lines.next() == Some(&child.id().to_string())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn end(&self, signal: Signal) -> Result<(), TestkitError> {
        let mut postmaster = self.postmaster();
        let Some(child) = postmaster.as_mut() else {
            return Ok(());
        };
        // A process that has ended stays ours until it is waited for, so the id is never another's.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid
            && matches!(child.try_wait(), Ok(None))
        {
            kill_process(pid, signal)
                .map_err(std::io::Error::from)
                .map_err(TestkitError::io("signal", &self.data))?;
        }
        let begun = Instant::now();
        while matches!(child.try_wait(), Ok(None)) {
            if begun.elapsed() > PATIENCE {
                drop(child.kill());
                drop(child.wait());
                *postmaster = None;
                return Err(TestkitError::Server {
                    what: "stop",
                    log: self.log(),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        *postmaster = None;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody to report to; the reaper tries again.
        drop(self.stop(Stop::Immediate));
        drop(self.reaper.stdin.take());
        drop(self.reaper.wait());
    }
}

/// Runs statements and returns the rows of all of them.
pub(crate) async fn sql(target: &Target, text: &str) -> Result<Rows, TestkitError> {
    let options = SessionOptions {
        connect_timeout: Duration::from_secs(30),
        statement_timeout: Duration::ZERO,
        lock_timeout: Duration::ZERO,
        transaction_timeout: Duration::ZERO,
        search_path: r#""$user", public"#.to_owned(),
        ..SessionOptions::default()
    };
    let session = pg::connect(target, &options, "testkit").await?;
    let answer = session
        .run(
            "run statements of a test",
            PATIENCE,
            session.client.simple_query(text),
        )
        .await?;
    session.close(Duration::from_secs(5)).await;
    Ok(answer
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        })
        .collect())
}

/// Returns a port of the loopback address for a program that listens a moment later, and again when it is restarted. It lies
/// below those that the kernel hands out by itself: one of these may belong to any connection by then.
///
/// # Errors
/// When none of a hundred can be bound.
pub fn free_port() -> Result<u16, TestkitError> {
    let mut dice = Dice::new(RandomState::new().build_hasher().finish());
    let mut refused = None;
    for _ in 0..100 {
        let port = PORTS.start + dice.below(PORTS.len() as u64) as u16;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(source) => refused = Some((port, source)),
        }
    }
    let (port, source) = refused.unwrap_or((PORTS.start, std::io::ErrorKind::AddrInUse.into()));
    Err(TestkitError::Io {
        what: "bind",
        path: PathBuf::from(format!("127.0.0.1:{port}")),
        source,
    })
}

/// Linux takes ports of connections, and those of listeners that ask for any, from 32768 on.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// Returns a shell that waits until its input ends, which it does when this process ends in whatever way,
/// then kills the server and removes its directory. A postmaster that was killed leaves its number behind,
/// which another process may have by now: only one that works in the data directory is the server.
fn reaper(dir: &Path) -> Result<Child, TestkitError> {
    const SCRIPT: &str = r#"
        read -r _
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) || break
            [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$1/data")" ] || break
            kill -QUIT "$pid" 2>/dev/null || break
            sleep 0.2
        done
        rm -rf "$1"
    "#;
    Command::new("sh")
        .args(["-c", SCRIPT, "testkit-reaper"])
        .arg(dir)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(TestkitError::io("run", "sh"))
}
