//! The real program with a configuration of its own, and what a page would send it.
#![allow(dead_code, reason = "not every test uses all of it")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A browser's user agent.
pub(crate) const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
/// How long a condition is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with configuration, queue and log.
#[derive(Debug)]
pub(crate) struct Home {
    dir: TempDir,
    more: String,
}

impl Home {
    /// Writes a configuration for the database at `target`, with further lines of `[analytics]` and its lists.
    pub(crate) fn new(target: &pg::Target, more: &str) -> Self {
        let home = Self {
            dir: TempDir::new().unwrap(),
            more: more.to_owned(),
        };
        home.rewrite(target);
        home
    }

    /// Writes the configuration with other lines of `[analytics]` and its lists.
    pub(crate) fn reconfigure(&mut self, target: &pg::Target, more: &str) {
        self.more = more.to_owned();
        self.rewrite(target);
    }

    /// Returns the folder.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes the configuration anew, for the database at `target`.
    pub(crate) fn rewrite(&self, target: &pg::Target) {
        let pg::Host::Socket(host) = &target.host else {
            panic!("a server on a socket");
        };
        let text = format!(
            "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n\
             [analytics]\nlisten = \"127.0.0.1:0\"\nqueue_dir = \"{}\"\nsalts_file = \"/dev/shm/pqcrypta-test-{}/salts\"\n{}",
            host.display(),
            target.port,
            target.database,
            target.user,
            self.queue().display(),
            self.dir.path().file_name().unwrap().to_string_lossy(),
            self.more,
        );
        // In one step: a running program may read it at any time. It may hold the secret of backends.
        let draft = self.dir.path().join("collector.toml.new");
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(draft, self.dir.path().join("collector.toml")).unwrap();
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.dir.path().join("queue")
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Returns what the program has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    pub(crate) fn command(&self) -> Command {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pqcrypta-analytics"));
        command
            .arg("--config")
            .arg(self.dir.path().join("collector.toml"));
        command
            .env_clear()
            .env("RUST_LOG", "debug")
            .current_dir("/")
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(log);
        command
    }

    /// Starts the program and waits until it listens.
    pub(crate) fn start(&self) -> Program {
        let mut child = self.command().spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.split('/').next());
        let Some(address) = address else {
            drop(child.wait());
            panic!("no address in {line:?}: {}", self.log());
        };
        Program {
            address: address.parse().unwrap(),
            child,
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let name = self
            .dir
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        // Not there when the program never started.
        drop(fs::remove_dir_all(
            Path::new("/dev/shm").join(format!("pqcrypta-test-{name}")),
        ));
    }
}

/// The program, listening.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Program {
    /// Sends bytes and returns status and answer; `None` when the link broke.
    pub(crate) fn raw(&self, request: &[u8]) -> Option<(u16, String)> {
        let mut link = TcpStream::connect(self.address).ok()?;
        link.set_read_timeout(Some(PATIENCE)).ok()?;
        // The program may answer and close before it has read everything.
        drop(link.write_all(request));
        let mut answer = Vec::new();
        drop(link.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer))
    }

    /// Sends a report with further headers.
    pub(crate) fn post_with(&self, headers: &str, body: &[u8]) -> Option<(u16, String)> {
        let mut request = format!(
            "POST /e HTTP/1.1\r\nHost: stats\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.raw(&request)
    }

    /// Sends a report as a browser at an address does.
    pub(crate) fn post(&self, from: &str, body: &Value) -> Option<u16> {
        self.post_with(&usual(from), body.to_string().as_bytes())
            .map(|(status, _)| status)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Asks it to end; returns its exit status.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().unwrap().code()
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Headers of a browser behind the proxy.
pub(crate) fn usual(from: &str) -> String {
    format!(
        "Content-Type: text/plain;charset=UTF-8\r\nOrigin: https://example.org\r\nUser-Agent: {BROWSER}\r\n\
         Accept-Language: de-DE,de;q=0.9\r\nX-Forwarded-For: {from}\r\n"
    )
}

/// A report of one event.
pub(crate) fn report(view: u64, path: &str, event: &Value) -> Value {
    json!({"v": 1, "site": "example.org", "url": format!("https://example.org{path}"), "title": "A page",
           "width": 1440, "view": format!("{view:016x}"), "events": [event]})
}

/// A report of a view.
pub(crate) fn view(view: u64, path: &str) -> Value {
    report(view, path, &json!({"type": "view"}))
}

/// Waits until a query gives a number.
pub(crate) async fn until(database: &testkit::Database, query: &str, wanted: i64) {
    let begun = Instant::now();
    loop {
        let found = database.number(query).await.unwrap();
        if found == wanted {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{query} gives {found}, not {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The configuration of one site.
pub(crate) const SITE: &str = "[[analytics.site]]\ndomain = \"example.org\"\n";
