//! A running `pqcrypta up`, and what is left of it.
#![allow(dead_code, reason = "each test needs a part")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pg::{SessionOptions, Target};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) const PQCRYPTA: &str = env!("CARGO_BIN_EXE_pqcrypta");
/// The first start makes a database; slow on a busy machine.
pub(crate) const START: Duration = Duration::from_secs(60);
/// From SIGTERM to the end.
pub(crate) const STOP: Duration = Duration::from_secs(5);

/// A running `up`.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) monitor: String,
    pub(crate) database: Target,
}

impl Up {
    pub(crate) fn start(state: &Path) -> Self {
        Self::start_as(Path::new(PQCRYPTA), state, &[], None)
    }

    /// Starts another copy of the program, with further arguments and folders of programs that are looked at first.
    pub(crate) fn start_as(
        program: &Path,
        state: &Path,
        arguments: &[&str],
        first_in_path: Option<&Path>,
    ) -> Self {
        let config = state.with_extension("toml");
        fs::write(
            &config,
            "[intervals]\nsystem_secs = 1\nheartbeat_secs = 1\n[logs]\nenabled = false\n",
        )
        .unwrap();
        let mut path =
            first_in_path.map_or_else(OsString::new, |first| first.as_os_str().to_owned());
        if !path.is_empty() {
            path.push(":");
        }
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut child = Command::new(program)
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(state)
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .env("PATH", path)
            // A variable for another purpose must not lead anywhere else.
            .env("DB_HOST", "db.invalid")
            .stdout(Stdio::piped())
            .stderr(Stdio::from(fs::File::create(messages_of(state)).unwrap()))
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let (monitor, database) = Self::announced(out, state);
        Self {
            child,
            monitor,
            database,
        }
    }

    /// Reads the two lines for scripts.
    fn announced(out: ChildStdout, state: &Path) -> (String, Target) {
        let mut lines = BufReader::new(out).lines();
        let mut line = || match lines.next() {
            Some(line) => line.unwrap(),
            None => panic!("ended early: {}", messages(state)),
        };
        let (first, second) = (line(), line());
        let monitor = first.strip_prefix("monitor: ").expect(&first).to_owned();
        let database = Target::parse(second.strip_prefix("database: ").expect(&second)).unwrap();
        (monitor, database)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; how long that took.
    pub(crate) fn end(&mut self, deadline: Duration) -> (ExitStatus, Duration) {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begin.elapsed());
            }
            assert!(
                begin.elapsed() < deadline + Duration::from_secs(10),
                "does not end"
            );
            sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let (status, took) = self.end(STOP);
        assert!(status.success(), "{status}");
        assert!(took <= STOP, "took {took:?}");
    }

    /// Returns the answer to a question with one number; asked again while the server recovers.
    pub(crate) fn ask(&self, question: &str) -> i64 {
        let begin = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        loop {
            let options = SessionOptions::default();
            let answer = runtime.block_on(async {
                let session = pg::connect(&self.database, &options, "test").await.ok()?;
                session.client.query_one(question, &[]).await.ok()
            });
            if let Some(row) = answer {
                return row.get(0);
            }
            assert!(begin.elapsed() < START, "no answer to {question}");
            sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn samples(&self) -> i64 {
        self.ask("SELECT count(*) FROM collector.system_metrics_raw")
    }

    pub(crate) fn wait_for_samples(&self, least: i64) {
        let begin = Instant::now();
        while self.samples() < least {
            assert!(begin.elapsed() < START, "only {} samples", self.samples());
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::INT);
            let _ended = self.child.wait();
        }
    }
}

pub(crate) fn messages_of(state: &Path) -> PathBuf {
    state.with_extension("messages")
}

pub(crate) fn messages(state: &Path) -> String {
    fs::read_to_string(messages_of(state)).unwrap_or_default()
}

/// Returns a directory that every user can pass through, and the state directory in it.
pub(crate) fn place() -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let state = dir.path().join("state");
    (dir, state)
}

/// Processes that have to do with `state`: by their arguments or their working directory.
fn processes_of(state: &Path) -> Vec<String> {
    let name = state.to_str().unwrap();
    let about = |dir: &Path| {
        let command = fs::read(dir.join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let works_in = fs::read_link(dir.join("cwd")).is_ok_and(|cwd| cwd.starts_with(state));
        (command.contains(name) || works_in).then_some(command)
    };
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| about(&entry.path()))
        .collect()
}

/// Waits until no process has to do with `state`.
pub(crate) fn wait_for_silence(state: &Path, deadline: Duration) {
    let begin = Instant::now();
    loop {
        let left = processes_of(state);
        if left.is_empty() {
            return;
        }
        assert!(begin.elapsed() < deadline, "left behind: {left:#?}");
        sleep(Duration::from_millis(50));
    }
}
