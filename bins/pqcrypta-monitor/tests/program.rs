//! The real program: how it starts, what it refuses, what it answers without a database, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A folder with a configuration.
struct Home {
    dir: TempDir,
}

impl Home {
    /// Writes a configuration for the database at `target`, with further lines.
    fn new(target: &pg::Target, more: &str) -> Self {
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let pg::Host::Socket(host) = &target.host else {
            panic!("a server on a socket");
        };
        let text = format!(
            "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n{more}",
            host.display(),
            target.port,
            target.database,
            target.user
        );
        let home = Self { dir };
        fs::write(home.config(), text).unwrap();
        fs::set_permissions(home.config(), fs::Permissions::from_mode(0o644)).unwrap();
        home
    }

    /// Writes a configuration for a database that does not exist.
    fn without_database(more: &str) -> Self {
        Self::new(&pg::Target::new("/nonexistent", 5432, "none", "none"), more)
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("collector.toml")
    }

    fn command(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.arg("--config").arg(self.config()).args(arguments);
        command.env_clear().current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it listens.
    fn start(&self) -> Monitor {
        Monitor::of(self.command(binary(), &["--listen", "127.0.0.1:0"]))
    }

    /// Runs it to its end; returns status and log.
    fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(binary(), arguments).output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), log)
    }
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_pqcrypta-monitor"))
}

/// The program, listening.
struct Monitor {
    child: Child,
    address: SocketAddr,
}

impl Monitor {
    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_else(|| panic!("no address in {line:?}: {}", end(&mut child).1));
        Self {
            address: address.parse().unwrap(),
            child,
        }
    }

    /// Asks for a path; returns status and answer.
    fn get(&self, path: &str) -> (u16, String) {
        let mut link = TcpStream::connect(self.address).unwrap();
        link.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        link.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        link.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_else(|| panic!("{answer}")), answer)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until a line of its log has a word; returns the log so far.
    fn log_until(&mut self, word: &str) -> String {
        let (mut log, mut byte) = (Vec::new(), [0; 1]);
        let err = self.child.stderr.as_mut().unwrap();
        // Byte by byte, so that the rest stays where it is read at the end.
        while err.read(&mut byte).unwrap() > 0 {
            log.push(byte[0]);
            if byte == *b"\n" && String::from_utf8_lossy(&log).contains(word) {
                return String::from_utf8(log).unwrap();
            }
        }
        panic!("it ended: {}", String::from_utf8_lossy(&log));
    }

    /// Waits for the end; returns status and log.
    fn end(mut self) -> (ExitStatus, String) {
        end(&mut self.child)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn end(child: &mut Child) -> (ExitStatus, String) {
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    (child.wait().unwrap(), log)
}

#[test]
fn it_states_its_address_and_serves_the_pages_there() {
    let home = Home::without_database("");
    let monitor = home.start();
    assert_eq!(monitor.get("/monitor/healthz").0, 200);
    let (status, page) = monitor.get("/monitor/");
    assert_eq!(status, 200);
    assert!(page.contains("text/html"), "{page}");
    assert_eq!(monitor.get("/").0, 307);
    assert_eq!(monitor.get("/elsewhere").0, 404);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, log) = Home::without_database("").refused(&["--listen", &address]);
    assert_eq!(status, Some(1), "{log}");
    assert!(
        log.contains(&format!("cannot listen on {address}")),
        "{log}"
    );
}

#[test]
fn a_faulty_configuration_is_refused_with_file_line_and_key() {
    for (fault, key) in [
        ("[monitor]\nlisten = \"everywhere\"", "listen"),
        ("[monitor]\nbase_path = \"monitor\"", "base_path"),
        ("[monitor]\nlisten_on = \"127.0.0.1:1\"", "listen_on"),
    ] {
        let home = Home::without_database(fault);
        let (status, log) = home.refused(&[]);
        assert_eq!(status, Some(78), "{log}");
        let place = format!("{}:7", home.config().display());
        assert!(log.contains(&place) && log.contains(key), "{key}: {log}");
    }
}

#[test]
fn an_address_of_other_machines_is_refused() {
    let (status, log) = Home::without_database("").refused(&["--listen", "0.0.0.0:0"]);
    assert_eq!(status, Some(78), "{log}");
    assert!(log.contains("0.0.0.0:0"), "{log}");
}

#[test]
fn signals_end_it_in_order_and_sighup_does_not() {
    let home = Home::without_database("");
    for signal in [Signal::TERM, Signal::INT] {
        let mut monitor = home.start();
        monitor.signal(Signal::HUP);
        // Two signals that are both pending have no order.
        let before = monitor.log_until("SIGHUP");
        assert_eq!(monitor.get("/monitor/healthz").0, 200);
        monitor.signal(signal);
        let (status, log) = monitor.end();
        let log = before + &log;
        assert!(status.success(), "{log}");
        assert!(log.contains("SIGHUP") && log.contains("stopping"), "{log}");
    }
}

#[test]
fn an_open_stream_does_not_hold_up_the_end() {
    let home = Home::without_database("");
    let monitor = home.start();
    let mut stream = TcpStream::connect(monitor.address).unwrap();
    stream
        .write_all(b"GET /monitor/api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).unwrap();
    monitor.signal(Signal::TERM);
    let (status, log) = monitor.end();
    assert!(status.success(), "{log}");
}

#[tokio::test]
async fn without_a_database_it_answers_and_goes_on_when_it_is_there() {
    let server = testkit::Server::new().unwrap();
    testkit::migrate(&server.target()).await.unwrap();
    server.stop(testkit::Stop::Fast).unwrap();
    let home = Home::new(&server.target(), "");
    let monitor = home.start();
    assert_eq!(monitor.get("/monitor/").0, 200);
    let question = "/monitor/api/v1/series?m=system.load_1";
    let (status, answer) = monitor.get(question);
    assert_eq!(status, 503, "{answer}");
    server.start().unwrap();
    let answers = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        monitor.get(question).0 != 503
    });
    assert!(answers, "half a minute after the database came back");
}

/// As another user than root, from a folder that it can read.
#[test]
fn it_needs_no_root() {
    let home = Home::without_database("");
    let copy = home.dir.path().join("monitor");
    fs::copy(binary(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = home.command(&copy, &["--listen", "127.0.0.1:0"]);
    if geteuid().is_root() {
        // nobody
        command.uid(65_534).gid(65_534);
    }
    let monitor = Monitor::of(command);
    assert_eq!(monitor.get("/monitor/healthz").0, 200);
    monitor.signal(Signal::TERM);
    assert!(monitor.end().0.success());
}
