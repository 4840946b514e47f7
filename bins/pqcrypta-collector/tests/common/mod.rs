//! The real binary against a real PostgreSQL, and the oracle of the fault tests.
//!
//! Every tick is exactly one record of class `core` with exactly one row of the host. So after a
//! last run in peace the database must hold, for each number of a record that it counts as
//! delivered, and for each that it counts as delivered from memory, one row: fewer is a loss, more is a
//! double. Losses that `data_gaps` names are taken off.
//! Beside, a program writes numbered lines into a log that is rotated: each must be one row, too.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by test files, each of which uses a part"
)]

pub mod clock;
pub mod formats;
pub mod rotation;
mod scribe;

use scribe::Scribe;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Returns how many times a fault is injected: as often as for every change, or as `FAULTS` selects: `few` (an
/// eighth), `nightly`, `release`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test asks how long it may take"
)]
pub fn times(push: usize, nightly: usize, release: usize) -> usize {
    match std::env::var("FAULTS").as_deref() {
        Ok("few") => push.div_ceil(8),
        Ok("nightly") => nightly,
        Ok("release") => release,
        _ => push,
    }
}

/// Returns a migrated database of its own on the shared server.
pub async fn database() -> testkit::Database {
    testkit::migrated().await.unwrap()
}

/// A host: a spool, a configuration and a small `/proc`, so that a tick costs little.
pub struct Home {
    pub dir: TempDir,
    scribe: Mutex<Scribe>,
    environment: Vec<(String, String)>,
}

impl Home {
    pub fn new(target: &pg::Target) -> Self {
        static SEED: AtomicU64 = AtomicU64::new(0);
        let dir = TempDir::new().unwrap();
        let logs = dir.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        let home = Self {
            scribe: Mutex::new(Scribe::start(&logs, seed)),
            dir,
            environment: Vec::new(),
        };
        home.configure(target, "");
        home
    }

    pub fn queue(&self) -> PathBuf {
        self.dir.path().join("queue")
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("collector.toml")
    }

    /// Writes the configuration: a tick of the host and one of the server each second, and what is
    /// added.
    pub fn configure(&self, target: &pg::Target, collector: &str) {
        let host = match &target.host {
            pg::Host::Socket(dir) => dir.display().to_string(),
            pg::Host::Tcp(name) => name.clone(),
        };
        let text = format!(
            "[database]\nhost = \"{host}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n\
             [intervals]\nsystem_secs = 1\napp_secs = 1\nheartbeat_secs = 1\n\
             [collector]\nqueue_dir = \"{}\"\n{collector}\n\
             [[logs.source]]\nname = \"app\"\npath = \"{}\"\nparser = \"simple_timestamp\"\n",
            target.port,
            target.database,
            target.user,
            self.queue().display(),
            self.scribe.lock().unwrap().path().display()
        );
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn start(&self) -> Agent {
        self.start_with(&[])
    }

    pub fn start_with(&self, environment: &[(&str, &str)]) -> Agent {
        self.spawn(&[], environment, None)
    }

    /// Starts another program with the same configuration and the same queue: a collector of another version.
    pub fn start_program(&self, program: &Path) -> Agent {
        self.spawn_program(program, &[], &[], None)
    }

    /// Starts it by a command that prepares something and then becomes the program in its arguments.
    pub fn start_within(&self, command: &[String]) -> Agent {
        self.spawn(command, &[], None)
    }

    /// Starts it with another `/proc`.
    pub fn start_proc(&self, proc: &Path) -> Agent {
        self.spawn(&[], &[], Some(proc))
    }

    fn spawn(&self, within: &[String], environment: &[(&str, &str)], proc: Option<&Path>) -> Agent {
        let program = Path::new(env!("CARGO_BIN_EXE_pqcrypta-collector"));
        self.spawn_program(program, within, environment, proc)
    }

    fn spawn_program(
        &self,
        program: &Path,
        within: &[String],
        environment: &[(&str, &str)],
        proc: Option<&Path>,
    ) -> Agent {
        let log = self.dir.path().join("log");
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let binary = program.display().to_string();
        let words: Vec<&String> = within.iter().chain([&binary]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("--config").arg(self.config());
        if let Some(proc) = proc {
            command.arg("--proc").arg(proc);
        }
        command.env_clear().stdin(Stdio::null());
        command.stdout(file.try_clone().unwrap()).stderr(file);
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(environment.iter().copied());
        Agent {
            child: command.spawn().unwrap(),
            log,
        }
    }
}

/// The binary, running.
pub struct Agent {
    pub child: Child,
    log: PathBuf,
}

impl Agent {
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the status and how long it took.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let started = Instant::now();
        self.signal("TERM");
        let status = self.wait(Duration::from_secs(20));
        (status, started.elapsed())
    }

    /// Waits for the end.
    pub fn wait(&mut self, longest: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                started.elapsed() < longest,
                "still running after {longest:?}:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until something holds; fails with the log after a minute.
    pub async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..600 {
            if holds().await {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ended with {status} before {what}:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not within a minute: {what}\n{}", self.log());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A last run in peace, then the oracle: one row of the host, or of a service, for each record that
/// counts as delivered.
pub async fn settle_and_check(home: &Home, target: &pg::Target) {
    let lines = home.scribe.lock().unwrap().stop();
    let mut agent = home.start();
    let started = now(target).await;
    wait_for_lines(home, target, lines).await;
    agent
        .until("everything is delivered", async || {
            let fresh = format!("select count(*) from collector.system_metrics_raw where ts > '{started}'");
            let waits = "select (select pending_records from collector.collector_self_metrics order by ts desc limit 1)";
            number(target, &fresh).await >= 2 && number(target, waits).await == 0
        })
        .await;
    let (status, _) = agent.terminate();
    assert!(status.success(), "{status}");
    wait_for_sessions(target).await;
    check(target).await;
    check_lines(home, target, lines).await;
}

/// Waits until the server has ended every session of the agent: it may still be committing what it was
/// given by one that has ended.
pub async fn wait_for_sessions(target: &pg::Target) {
    let sessions = "select count(*) from pg_stat_activity \
        where datname = current_database() and application_name like 'pqcrypta-collector%'";
    for _ in 0..600 {
        if number(target, sessions).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "sessions of an agent that has ended: {}",
        text(target, "select jsonb_agg(a)::text from pg_stat_activity a").await
    );
}

/// Events of the numbered lines, and which of them are the rest of one whose writer was held up within it:
/// what comes later than readers wait is an event of its own.
const LINES: &str = "select substring(message from 'number (\\d+)')::int8 n, at, message from collector.log_entries where source = 'app'";
const IS_REST: &str = "n is null and message ~ '^\\s*(with more(\\s+to say)?|to say)$'";

/// Waits until every line is read; when that does not happen, reports which are missing and how far reading is.
async fn wait_for_lines(home: &Home, target: &pg::Target, lines: i64) {
    let read = format!("select count(distinct n) from ({LINES}) l");
    for _ in 0..600 {
        if number(target, &read).await + lines_before(home, target, lines).await >= lines {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let positions = "select jsonb_agg(p)::text from collector.log_positions p";
    let files = Command::new("ls")
        .arg("-li")
        .arg(home.dir.path().join("logs"))
        .output();
    panic!(
        "{} of {lines} lines are read: {}\n{}\n{}\n{}",
        number(target, &read).await,
        unexpected(target).await,
        text(target, positions).await,
        String::from_utf8_lossy(&files.unwrap().stdout),
        fs::read_to_string(home.dir.path().join("log")).unwrap_or_default(),
    );
}

/// Lines before the first that is stored: a log that was rotated before it was read for the first time
/// is read from its present file on, which may be empty.
async fn lines_before(home: &Home, target: &pg::Target, lines: i64) -> i64 {
    let first = format!("select coalesce(min(n), 0) from ({LINES}) l");
    let first = number(target, &first).await;
    if first > 0 {
        return first - 1;
    }
    let present = fs::read_to_string(home.dir.path().join("logs/app.log")).unwrap_or_default();
    let first = present
        .split("number ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    first.map_or(lines, |first| first.parse::<i64>().unwrap() - 1)
}

/// Numbers that are there twice or not at all, a few of each, and what was lost by the collector's own account.
async fn unexpected(target: &pg::Target) -> String {
    let query = format!(
        "with seen as ({LINES}), \
         twice as (select n, array_agg(at) at from seen group by n having count(*) > 1 limit 5) \
         select jsonb_build_object('twice', (select jsonb_agg(twice) from twice), \
         'without a number', (select jsonb_agg(message) from (select message from seen where n is null limit 5) s), \
         'missing', (select jsonb_agg(n) from (select n from generate_series((select min(n) from seen), (select max(n) from seen)) n \
         where not exists (select from seen where seen.n = n.n) limit 5) m), \
         'gaps', (select jsonb_agg(reason) from collector.data_gaps where class = 'logs'))::text"
    );
    text(target, &query).await
}

/// Every number that was written is one row, and the sums agree.
async fn check_lines(home: &Home, target: &pg::Target, lines: i64) {
    let lines = lines - lines_before(home, target, lines).await;
    let count = async |what: &str| number(target, &format!("select {what} from ({LINES}) l")).await;
    let numbers = count("count(distinct n)").await;
    let stored = count("count(*)").await;
    let rest = count(&format!("count(*) filter (where {IS_REST})")).await;
    if numbers != lines || stored != lines + rest {
        panic!(
            "{stored} rows of {lines} lines, {rest} of them the rest of one: {}",
            unexpected(target).await
        );
    }
    for sums in ["log_metrics_hourly", "log_fingerprint_hourly"] {
        let sum = format!(
            "select coalesce(sum(count), 0)::int8 from collector.{sums} where source = 'app'"
        );
        assert_eq!(number(target, &sum).await, stored, "{sums}");
    }
}

/// Records of what is watched beside the host, and of judging: each has one of these rows.
const SERVICES: &str = "select (select count(*) from collector.db_metrics_raw) \
    + (select count(*) from collector.collector_runs_raw where collector in ('postgres_slow', 'findings', 'upkeep', 'history', 'slos', 'baselines') \
       or error = 'still busy with an earlier tick')";

/// The oracle.
pub async fn check(target: &pg::Target) {
    let delivered = number(
        target,
        "select coalesce(sum((r->>1)::int8 - (r->>0)::int8), 0) from collector.spool_watermark, \
         jsonb_array_elements(progress->'core'->'delivered') r",
    )
    .await;
    let from_memory = number(
        target,
        "select coalesce(sum((progress->'core'->>'from_memory')::int8), 0) from collector.spool_watermark",
    )
    .await;
    let delivered = delivered + from_memory;
    let owed = number(
        target,
        "select count(*) from collector.spool_watermark where progress->'core'->'owed' <> '{}'",
    )
    .await;
    let lost = number(
        target,
        "select coalesce(sum(count), 0) from collector.data_gaps where class = 'core'",
    )
    .await;
    let rows = number(target, "select count(*) from collector.system_metrics_raw").await;
    let instants = number(
        target,
        "select count(distinct ts) from collector.system_metrics_raw",
    )
    .await;
    let recorded = number(
        target,
        "select count(*) from collector.collector_self_metrics",
    )
    .await;
    assert_eq!(rows, instants, "samples stored twice");
    assert_eq!(rows, recorded, "tables of one record disagree");
    let services = number(target, SERVICES).await;
    assert_eq!(
        rows + services + lost,
        delivered,
        "{rows} and {services} of services stored, {lost} in gaps, {delivered} delivered"
    );
    let twice = "select count(*) - count(distinct (instance, ts)) from collector.db_metrics_raw";
    assert_eq!(
        number(target, twice).await,
        0,
        "samples of the server stored twice"
    );
    assert_eq!(owed, 0, "a table still owes");
}

async fn now(target: &pg::Target) -> String {
    text(target, "select clock_timestamp()").await
}

pub async fn number(target: &pg::Target, sql: &str) -> i64 {
    text(target, sql).await.parse().unwrap()
}

/// One value as text; asked again while the server is away.
pub async fn text(target: &pg::Target, sql: &str) -> String {
    for _ in 0..100 {
        if let Ok(session) = pg::connect(target, &pg::SessionOptions::default(), "test").await
            && let Ok(rows) = session.client.simple_query(sql).await
        {
            for message in &rows {
                if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                    return row.get(0).unwrap_or("0").to_owned();
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the database does not answer {sql}");
}

/// Files below a directory, with their sizes on disk.
pub fn bytes_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
