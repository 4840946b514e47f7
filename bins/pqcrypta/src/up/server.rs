//! The private PostgreSQL: found, initialised, started, stopped.
//!
//! It listens on a Unix socket in a directory of mode 0700 and nowhere else; whoever can open that
//! socket (root and the user that runs the server) is trusted under any role. It writes durably
//! (`fsync` stays on), so its data survive `kill -9` of everything.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::process::{Identity, command};
use super::programs::Programs;
use super::state::{PORT, State};

/// Its name in the record of processes; those of an upgrade begin with it.
pub(crate) const NAME: &str = "postgres";
/// The superuser of the private server.
pub(crate) const SUPERUSER: &str = "postgres";
/// How long the server may take until it accepts connections; replaying WAL takes time.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// How long processes of a killed server may take to end.
const ORPHANS_DEADLINE: Duration = Duration::from_secs(15);
/// A log longer than this is put aside when the server starts.
const LONGEST_LOG: u64 = 16 << 20;

/// A server: which programs work in which directory, and where they listen.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Name in messages and in the record of processes.
    pub(crate) name: &'static str,
    /// Its programs.
    pub(crate) programs: Programs,
    /// Its data directory.
    pub(crate) data: PathBuf,
    /// Port in the name of its socket.
    pub(crate) port: u16,
    /// Settings beside those of every private server, or instead of them.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
}

impl Server {
    /// Returns the server of a state directory.
    pub(crate) fn of(state: &State, programs: Programs) -> Self {
        Self {
            name: NAME,
            programs,
            data: state.data.clone(),
            port: PORT,
            settings: Vec::new(),
        }
    }
}

/// Initialises the data directory, unless it is; a killed attempt leaves nothing that counts.
pub(crate) async fn initialise(state: &State, server: &Server) -> Result<()> {
    let (data, programs) = (&server.data, &server.programs);
    if data.join("PG_VERSION").is_file() {
        return Ok(());
    }
    crate::say(&format!(
        "making a PostgreSQL {} database in {}",
        programs.major,
        data.display()
    ));
    let draft = data.with_extension("new");
    if draft.exists() {
        fs::remove_dir_all(&draft).with_context(|| format!("cannot remove {}", draft.display()))?;
    }
    let initdb = programs.bin.join("initdb");
    let child = command(&initdb, state.user.as_ref(), Signal::TERM)
        .arg("-D")
        .arg(&draft)
        .args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])
        .args(["--data-checksums", "--no-instructions"])
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", initdb.display()))?;
    // When we are stopped meanwhile: the whole group, for initdb starts servers of its own.
    let mut group = GroupEnd(child.id());
    let output = child
        .wait_with_output()
        .await
        .context("cannot wait for initdb")?;
    group.0 = None;
    if !output.status.success() {
        bail!(
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::rename(&draft, data).with_context(|| format!("cannot rename {}", draft.display()))
}

/// Kills a process group when it is dropped.
struct GroupEnd(Option<u32>);

impl Drop for GroupEnd {
    fn drop(&mut self) {
        let leader = self
            .0
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(leader) = leader
            && let Err(error) = kill_process_group(leader, Signal::KILL)
        {
            crate::say(&format!("cannot end initdb: {error}"));
        }
    }
}

/// Waits for the last processes of a server that was killed: they notice it and end by themselves,
/// on a busy machine not at once. Those of a server that lives are not waited for.
pub(crate) async fn wait_for_orphans(data: &Path) {
    let deadline = Instant::now() + ORPHANS_DEADLINE;
    while let Some(worker) = worker_in(data)
        && worker_in_charge(data).is_none_or(|pid| Identity::of(pid).is_none())
        && Instant::now() < deadline
    {
        if let Some(orphan) = Identity::of(worker) {
            orphan.wait_until(deadline).await;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Starts the server.
///
/// # Errors
/// When its data are in use, or it cannot be started.
pub(crate) fn spawn(state: &State, server: &Server) -> Result<Child> {
    forget_stale_locks(&server.data, &state.socket, server.port)?;
    let log = open_log(state)?;
    let mut command = command(
        &server.programs.bin.join("postgres"),
        state.user.as_ref(),
        Signal::INT,
    );
    command
        .arg("-D")
        .arg(&server.data)
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8");
    for (name, value) in settings(state, server) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // The last one counts.
    for (name, value) in &server.settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command
        .stdout(log.try_clone().context("cannot share the log")?)
        .stderr(log)
        .spawn()
        .context("cannot start postgres")
}

/// Waits until the server accepts connections.
///
/// # Errors
/// When it ends or is not ready in time; the end of its log is part of the message.
pub(crate) async fn wait_ready(
    state: &State,
    data: &Path,
    child: &mut Child,
    process: &Identity,
) -> Result<()> {
    let deadline = Instant::now() + START_DEADLINE;
    while !is_ready(data, process.pid) {
        if let Some(status) = child.try_wait().context("cannot wait for postgres")? {
            bail!("PostgreSQL did not start ({status}){}", log_end(state));
        }
        if Instant::now() >= deadline {
            bail!(
                "PostgreSQL was not ready after {} s{}",
                START_DEADLINE.as_secs(),
                log_end(state)
            );
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Stops the server: by a fast shutdown, from `soon` on by an immediate one (it recovers from its
/// WAL at the next start), from `last` on by SIGKILL.
pub(crate) async fn stop(
    child: &mut Child,
    process: &Identity,
    soon: Instant,
    last: Instant,
) -> Option<ExitStatus> {
    for (signal, deadline) in [(Signal::INT, soon), (Signal::QUIT, last)] {
        if Instant::now() >= deadline {
            continue;
        }
        process.signal(signal);
        if let Ok(status) = tokio::time::timeout_at(deadline, child.wait()).await {
            return status.ok();
        }
    }
    process.signal(Signal::KILL);
    child.wait().await.ok()
}

/// Returns the settings: small, durable, private.
fn settings(state: &State, server: &Server) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("listen_addresses", String::new()),
        ("unix_socket_directories", quoted_path(&state.socket)),
        ("unix_socket_permissions", "0700".to_owned()),
        ("port", server.port.to_string()),
        ("cluster_name", "pqcrypta".to_owned()),
        ("max_connections", "40".to_owned()),
        ("shared_buffers", "64MB".to_owned()),
        ("max_wal_size", "512MB".to_owned()),
        ("fsync", "on".to_owned()),
        ("track_io_timing", "on".to_owned()),
        ("track_wal_io_timing", "on".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        ("logging_collector", "off".to_owned()),
        ("log_line_prefix", "%m [%p] %q%u@%d ".to_owned()),
    ];
    // Part of the server's package on Debian, a package of its own elsewhere.
    if server
        .programs
        .bin
        .join("../lib/pg_stat_statements.so")
        .is_file()
    {
        settings.push(("shared_preload_libraries", "pg_stat_statements".to_owned()));
    }
    settings
}

/// Returns a path in a setting that is a list: a comma or blank in it must not part it.
fn quoted_path(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

/// Returns the server's log, the previous one put aside when it is long.
fn open_log(state: &State) -> Result<File> {
    let path = state.server_log();
    if fs::metadata(&path).is_ok_and(|meta| meta.len() > LONGEST_LOG) {
        fs::rename(&path, path.with_extension("log.1"))
            .with_context(|| format!("cannot rename {}", path.display()))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Returns the last lines of the server's log, for an error message.
pub(crate) fn log_end(state: &State) -> String {
    const LINES: usize = 8;
    let path = state.server_log();
    let text = fs::read(&path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
    format!("; the end of {}:\n  {end}", path.display())
}

/// Returns whether the server with this pid wrote that it accepts connections.
fn is_ready(data: &Path, pid: i32) -> bool {
    // Line 1 is the pid, line 8 the state.
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    let own = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
    own && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// Removes the lock files of a server that died. The server itself is careful and refuses to start
/// when the pid in one is in use again, or not waited for yet; here the state directory is locked,
/// so it is enough that nobody works in the data directory (every process of a server does).
fn forget_stale_locks(data: &Path, socket: &Path, port: u16) -> Result<()> {
    let stale: Vec<PathBuf> = [
        data.join("postmaster.pid"),
        socket.join(format!(".s.PGSQL.{port}.lock")),
    ]
    .into_iter()
    .filter(|path| path.exists())
    .collect();
    if stale.is_empty() {
        return Ok(());
    }
    if let Some(pid) = worker_in(data) {
        bail!(
            "process {pid} of another server works in {}: end it first, or choose another --state-dir",
            data.display()
        );
    }
    for path in stale {
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Returns the pid in the server's lock file.
fn worker_in_charge(data: &Path) -> Option<i32> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Returns a process whose working directory is `data`.
fn worker_in(data: &Path) -> Option<i32> {
    let data = fs::canonicalize(data).ok()?;
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (fs::read_link(entry.path().join("cwd")).ok()? == data).then_some(pid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_what_this_server_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let write = |state: &str| {
            let text = format!("77\n/data\n1790000000\n5432\n/socket\n\n  1  2\n{state}\n");
            fs::write(dir.path().join("postmaster.pid"), text).unwrap();
        };
        write("starting");
        assert!(!is_ready(dir.path(), 77));
        write("ready   ");
        assert!(is_ready(dir.path(), 77));
        assert!(!is_ready(dir.path(), 78));
    }

    #[test]
    fn a_stale_pid_file_goes_and_a_used_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("postmaster.pid");
        fs::write(&pid_file, "1\n").unwrap();
        forget_stale_locks(dir.path(), dir.path(), PORT).unwrap();
        assert!(!pid_file.exists());
        fs::write(&pid_file, "1\n").unwrap();
        let mut worker = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(dir.path())
            .spawn()
            .unwrap();
        let error = forget_stale_locks(dir.path(), dir.path(), PORT)
            .unwrap_err()
            .to_string();
        worker.kill().unwrap();
        worker.wait().unwrap();
        assert!(error.contains("another server"), "{error}");
        assert!(pid_file.exists());
    }
}
