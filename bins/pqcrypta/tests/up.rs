//! `pqcrypta up` as a whole: real server, real collector, real monitor.
//!
//! The other programs lie beside this package's in the target directory, so they must be built:
//! `cargo build --workspace --bins`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pg::{SessionOptions, Target};
use rustix::process::{Pid, Signal, kill_process};

const PQCRYPTA: &str = env!("CARGO_BIN_EXE_pqcrypta");
/// The first start makes a database; slow on a busy machine.
const START: Duration = Duration::from_secs(60);
/// From SIGTERM to the end.
const STOP: Duration = Duration::from_secs(5);

/// A running `up`.
struct Up {
    child: Child,
    monitor: String,
    database: Target,
}

impl Up {
    fn start(state: &Path) -> Self {
        let config = state.with_extension("toml");
        fs::write(
            &config,
            "[intervals]\nsystem_secs = 1\nheartbeat_secs = 1\n[logs]\nenabled = false\n",
        )
        .unwrap();
        let mut child = Command::new(PQCRYPTA)
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(state)
            .arg("--config")
            .arg(&config)
            // A variable for another purpose must not lead anywhere else.
            .env("DB_HOST", "db.invalid")
            .stdout(Stdio::piped())
            .stderr(Stdio::from(fs::File::create(messages_of(state)).unwrap()))
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || match lines.next() {
            Some(line) => line.unwrap(),
            None => panic!("ended early: {}", messages(state)),
        };
        let (first, second) = (line(), line());
        let monitor = first.strip_prefix("monitor: ").expect(&first).to_owned();
        let database = Target::parse(second.strip_prefix("database: ").expect(&second)).unwrap();
        Self {
            child,
            monitor,
            database,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; how long that took.
    fn end(&mut self, deadline: Duration) -> (ExitStatus, Duration) {
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

    fn stop(mut self) {
        self.signal(Signal::TERM);
        let (status, took) = self.end(STOP);
        assert!(status.success(), "{status}");
        assert!(took <= STOP, "took {took:?}");
    }

    /// Returns the answer to a question with one number; asked again while the server recovers.
    fn ask(&self, question: &str) -> i64 {
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

    fn samples(&self) -> i64 {
        self.ask("SELECT count(*) FROM collector.system_metrics_raw")
    }

    fn wait_for_samples(&self, least: i64) {
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

fn messages_of(state: &Path) -> PathBuf {
    state.with_extension("messages")
}

fn messages(state: &Path) -> String {
    fs::read_to_string(messages_of(state)).unwrap_or_default()
}

/// Returns a directory that every user can pass through, and the state directory in it.
fn place() -> (tempfile::TempDir, PathBuf) {
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
fn wait_for_silence(state: &Path, deadline: Duration) {
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

fn pid_of(state: &Path, name: &str) -> Pid {
    let record = fs::read_to_string(state.join("processes")).unwrap();
    let line = record
        .lines()
        .find(|line| line.starts_with(name))
        .expect(&record);
    Pid::from_raw(line.split(' ').nth(1).unwrap().parse().unwrap()).unwrap()
}

#[test]
fn stores_samples_stops_in_time_and_continues() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    assert!(
        up.monitor.starts_with("http://127.0.0.1:") && up.monitor.ends_with("/monitor/"),
        "{}",
        up.monitor
    );
    up.wait_for_samples(2);
    let first = up.samples();
    up.stop();
    wait_for_silence(&state, Duration::ZERO);

    let up = Up::start(&state);
    assert!(up.samples() >= first, "{} samples of {first}", up.samples());
    up.wait_for_samples(first + 1);
    assert_eq!(up.ask("SELECT count(*) FROM collector.agent_runs"), 2);
    assert_eq!(
        up.ask("SELECT count(*) FROM collector.agent_runs WHERE outcome = 'vanished'"),
        0
    );
    up.stop();
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn refuses_a_state_directory_in_use() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    let second = Command::new(PQCRYPTA)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .output()
        .unwrap();
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("another `pqcrypta up` runs"), "{text}");
    assert!(second.stdout.is_empty());
    up.wait_for_samples(1);
    up.stop();
}

#[test]
fn leaves_no_orphan_when_it_is_killed() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    up.signal(Signal::KILL);
    up.end(STOP);
    wait_for_silence(&state, STOP);
    let up = Up::start(&state);
    up.wait_for_samples(1);
    up.stop();
}

#[test]
fn starts_after_everything_was_killed() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    up.wait_for_samples(1);
    for name in ["collector", "monitor", "postgres"] {
        kill_process(pid_of(&state, name), Signal::KILL).unwrap();
    }
    up.signal(Signal::KILL);
    up.end(STOP);
    let up = Up::start(&state);
    up.wait_for_samples(1);
    up.stop();
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn restarts_what_dies() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    up.wait_for_samples(1);
    for name in ["collector", "postgres"] {
        kill_process(pid_of(&state, name), Signal::KILL).unwrap();
    }
    let begin = Instant::now();
    while !(messages(&state).contains("collector started again")
        && messages(&state).contains("postgres started again"))
    {
        assert!(begin.elapsed() < START, "{}", messages(&state));
        sleep(Duration::from_millis(100));
    }
    sleep(Duration::from_secs(2));
    let before = up.samples();
    up.wait_for_samples(before + 2);
    up.stop();
}

#[test]
fn sighup_has_the_settings_read_again() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    let config = state.with_extension("toml");
    let good = fs::read_to_string(&config).unwrap();
    let own = format!(
        "[[logs.source]]\nname = \"own\"\npath = \"{}\"\n",
        messages_of(&state).display()
    );
    for (text, words) in [
        (
            good.replace("system_secs = 1", "system_secs = 2"),
            "setting changed",
        ),
        (
            good.replace("system_secs = 1", "system_secs = 0"),
            "toml:2: intervals.system_secs",
        ),
        (format!("{good}{own}"), "logs.source[1].path"),
    ] {
        fs::write(&config, text).unwrap();
        up.signal(Signal::HUP);
        let begin = Instant::now();
        while !messages(&state).contains(words) {
            assert!(begin.elapsed() < START, "no {words}: {}", messages(&state));
            sleep(Duration::from_millis(50));
        }
    }
    let before = up.samples();
    up.wait_for_samples(before + 1);
    assert!(
        !messages(&state).contains("ended ("),
        "{}",
        messages(&state)
    );
    up.stop();
}

#[test]
fn refuses_a_source_that_is_its_own_output() {
    let (dir, state) = place();
    fs::create_dir_all(state.join("log")).unwrap();
    fs::write(state.join("log/postgres.log"), "").unwrap();
    let messages = dir.path().join("up.messages");
    for path in ["up.messages", "up.*", "state/log/*"] {
        let config = dir.path().join("own.toml");
        let path = dir.path().join(path);
        let path = path.display();
        let text = format!("[[logs.source]]\nname = \"own\"\npath = \"{path}\"\n");
        fs::write(&config, text).unwrap();
        let status = Command::new(PQCRYPTA)
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(&state)
            .arg("--config")
            .arg(&config)
            .stderr(Stdio::from(fs::File::create(&messages).unwrap()))
            .status()
            .unwrap();
        let printed = fs::read_to_string(&messages).unwrap();
        assert_eq!(status.code(), Some(78), "{path}: {printed}");
        assert!(
            printed.contains("own.toml:3: logs.source[1].path"),
            "{path}: {printed}"
        );
    }
}

#[test]
fn a_second_signal_is_obeyed_within_a_second() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    // It cannot stop in good order now.
    kill_process(pid_of(&state, "collector"), Signal::STOP).unwrap();
    up.signal(Signal::TERM);
    sleep(Duration::from_millis(200));
    up.signal(Signal::TERM);
    let (status, took) = up.end(STOP);
    assert!(status.success(), "{status}");
    assert!(took <= Duration::from_secs(1), "took {took:?}");
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn ends_by_itself() {
    let (_dir, state) = place();
    let output = Command::new(PQCRYPTA)
        .args(["up", "--listen", "127.0.0.1:0", "--for", "1", "--state-dir"])
        .arg(&state)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        matches!(lines[..], [a, b] if a.starts_with("monitor: ") && b.starts_with("database: ")),
        "{out}"
    );
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn says_which_program_is_missing() {
    let (dir, state) = place();
    let alone = dir.path().join("pqcrypta");
    fs::copy(PQCRYPTA, &alone).unwrap();
    let output = Command::new(&alone)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("pqcrypta-collector is missing") && text.contains("cargo build"),
        "{text}"
    );
    assert!(!state.exists());
}

#[test]
fn faulty_settings_end_with_78() {
    let (dir, state) = place();
    let config = dir.path().join("bad.toml");
    fs::write(&config, "[intervals]\nsystem_secs = 0\n").unwrap();
    let output = Command::new(PQCRYPTA)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("bad.toml:2: intervals.system_secs"), "{text}");
}
