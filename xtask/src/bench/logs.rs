//! Cost and throughput of reading logs.
//!
//! The real release binary against a real PostgreSQL with fsync. A file of lines as an SSH server of
//! the Internet writes them appears at the path of a source; measured is the time until every line
//! is a committed row with its pattern and its sums, and the CPU of both sides. Beside it, in the
//! same run, on the same file and server and a table with the same columns and indexes: rsyslog
//! (imfile to ompgsql) when it is installed, which stores the line as it is. Then the cost of
//! thirteen sources in which nothing happens, and how soon a line is a visible row.

use super::collector::{Collector, Source, build};
use super::{Figure, figure, number, process};
use anyhow::{Context, ensure};
use clap::Args;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::Server;
use tokio::time::sleep;

/// Interval of polling the server for progress.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// Longest time of any step.
const PATIENCE: Duration = Duration::from_secs(600);
const QUIET_SOURCES: usize = 13;

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Lines of the burst
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    /// Lines of which the time until they are seen is measured
    #[arg(long, default_value_t = 20)]
    seen: u32,
    /// Seconds for which the quiet sources are watched
    #[arg(long, default_value_t = 30)]
    quiet_secs: u64,
    /// Leave rsyslog out although it is installed
    #[arg(long)]
    alone: bool,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let binary = build("pqcrypta-collector")?;
    let server = Server::builder().fsync().start()?;
    let session = pg::connect(&server.target(), &pg::SessionOptions::default(), "bench").await?;
    store::migrations::apply(&session.client).await?;
    let dir = TempDir::new()?;
    let prepared = dir.path().join("prepared.log");
    write_lines(&prepared, options.lines)?;
    let mut figures = Vec::new();
    burst(
        options,
        &binary,
        &server,
        dir.path(),
        &prepared,
        &mut figures,
    )
    .await?;
    if !options.alone {
        peer(options, &server, dir.path(), &prepared, &mut figures).await?;
    }
    quiet(options, &binary, &server, dir.path(), &mut figures).await?;
    Ok(figures)
}

/// Writes a file of `lines` lines of about 108 bytes each: the forms an SSH server of the Internet, cron and
/// sudo write.
fn write_lines(path: &Path, lines: u64) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    // A multiplicative congruential generator (MMIX, Knuth): the same file in every run.
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let begin = jiff::Timestamp::now().as_second() - i64::try_from(lines / 4)?;
    let mut line = String::new();
    for number in 0..lines {
        line.clear();
        let at = jiff::Timestamp::from_second(begin + i64::try_from(number / 4)?)?;
        let at = at.to_zoned(jiff::tz::TimeZone::system());
        write!(line, "{} vm1 ", at.strftime("%b %e %H:%M:%S"))?;
        write_message(&mut line, &mut random)?;
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(())
}

/// Appends a message of a random form.
fn write_message(line: &mut String, random: &mut impl FnMut(u64) -> u64) -> std::fmt::Result {
    const USERS: [&str; 6] = ["root", "admin", "test", "ubuntu", "git", "deploy"];
    let pid = 400 + random(99_000);
    let address = format!(
        "{}.{}.{}.{}",
        1 + random(253),
        random(255),
        random(255),
        1 + random(253)
    );
    let port = 1024 + random(60_000);
    let user = USERS[random(USERS.len() as u64) as usize];
    match random(20) {
        0..=6 => write!(
            line,
            "sshd[{pid}]: Failed password for invalid user {user}{} from {address} port {port} ssh2",
            random(99)
        ),
        7..=9 => write!(
            line,
            "sshd[{pid}]: Invalid user {user} from {address} port {port}"
        ),
        10..=12 => write!(
            line,
            "sshd[{pid}]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={address}  user={user}"
        ),
        13..=14 => write!(
            line,
            "sshd[{pid}]: Connection closed by authenticating user {user} {address} port {port} [preauth]"
        ),
        15..=16 => write!(
            line,
            "CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
        ),
        17..=18 => write!(
            line,
            "systemd-logind[612]: New session {} of user {user}.",
            random(99_999)
        ),
        _ => write!(
            line,
            "sudo: {user} : TTY=pts/{} ; PWD=/srv/app ; USER=root ; COMMAND=/usr/bin/job {:08x}-{:04x}",
            random(9),
            random(1 << 31),
            random(1 << 16)
        ),
    }
}

/// Waits until a count of rows is reached.
async fn until(server: &Server, sql: &str, wanted: f64) -> anyhow::Result<()> {
    let begun = Instant::now();
    while number(server, sql).await? < wanted {
        ensure!(begun.elapsed() < PATIENCE, "gave up waiting: {sql}");
        sleep(ASK_EVERY).await;
    }
    Ok(())
}

/// Returns the newest server process of the sessions that meet a condition.
async fn backend(server: &Server, condition: &str) -> anyhow::Result<Option<u32>> {
    let sql = format!(
        "select pid from pg_stat_activity where {condition} order by backend_start desc limit 1"
    );
    let rows = server.sql(&sql).await?;
    let pid = rows.into_iter().flatten().flatten().next();
    Ok(pid.and_then(|pid| pid.parse().ok()))
}

const LOGS_SESSION: &str = "application_name = 'pqcrypta-collector logs'";

async fn logs_backend(server: &Server) -> anyhow::Result<u32> {
    let begun = Instant::now();
    loop {
        if let Some(pid) = backend(server, LOGS_SESSION).await? {
            return Ok(pid);
        }
        ensure!(begun.elapsed() < PATIENCE, "the collector stores no logs");
        sleep(ASK_EVERY).await;
    }
}

/// Measures a burst of lines.
async fn burst(
    options: &Options,
    binary: &Path,
    server: &Server,
    dir: &Path,
    prepared: &Path,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    let path = dir.join("auth.log");
    let source = Source {
        name: "auth".to_owned(),
        path: path.clone(),
        parser: "syslog",
    };
    let collector = Collector::start(binary, server, dir, 10, &[source])?;
    let server_pid = logs_backend(server).await?;
    // The first reading finds nothing, so that the file is one that appears later.
    sleep(Duration::from_secs(3)).await;
    let pid = collector.pid();
    let idle = process::memory(pid)?.rss;
    let (cpu, server_cpu) = (process::cpu_ms(pid)?, process::cpu_ms(server_pid)?);
    fs::hard_link(prepared, &path).or_else(|_| fs::copy(prepared, &path).map(drop))?;
    let begun = Instant::now();
    let count = "select coalesce(sum(occurrences), 0) from collector.log_patterns";
    until(server, count, options.lines as f64).await?;
    let took = begun.elapsed().as_secs_f64();
    let lines = options.lines as f64;
    let (cpu, server_cpu) = (
        process::cpu_ms(pid)? - cpu,
        process::cpu_ms(server_pid)? - server_cpu,
    );
    let stored = number(server, "select count(*) from collector.log_entries").await?;
    ensure!(stored == lines, "{stored} rows of {lines} lines");
    let peak = process::peak_rss(pid)?;
    out.extend(burst_figures(lines, took, cpu, server_cpu, peak - idle));
    Ok(())
}

/// Returns the figures of a burst: seconds, milliseconds of CPU, and MiB beyond the memory before.
fn burst_figures(lines: f64, took: f64, cpu: f64, server_cpu: f64, rss: f64) -> [Figure; 5] {
    let figures = [
        // The target is 110,000 lines a second.
        (
            "a line, from file to committed row",
            took * 1e6 / lines,
            "us",
            Some(9.09),
        ),
        (
            "lines a second, from file to committed row",
            lines / took,
            "lines/s",
            None,
        ),
        (
            "CPU of the collector per line",
            cpu * 1e3 / lines,
            "us",
            Some(1.5),
        ),
        (
            "CPU of its server process per line",
            server_cpu * 1e3 / lines,
            "us",
            Some(7.0),
        ),
        ("RSS in the burst beyond that before", rss, "MiB", Some(6.0)),
    ];
    figures.map(|(name, value, unit, target)| figure(name, value, unit, target))
}

/// Returns whether rsyslog and its module for PostgreSQL are installed.
fn is_installed() -> bool {
    let modules = [
        "/usr/lib/x86_64-linux-gnu/rsyslog",
        "/usr/lib/aarch64-linux-gnu/rsyslog",
        "/usr/lib/rsyslog",
    ];
    Path::new("/usr/sbin/rsyslogd").exists()
        && modules
            .iter()
            .any(|dir| Path::new(dir).join("ompgsql.so").exists())
}

/// Measures rsyslog on the same file.
async fn peer(
    options: &Options,
    server: &Server,
    dir: &Path,
    prepared: &Path,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    if !is_installed() {
        eprintln!("rsyslog is left out: install rsyslog and rsyslog-pgsql to measure it, too");
        return Ok(());
    }
    server
        .sql(
            "create table public.peer (ts timestamptz not null, host_id int not null, source text not null, at bigint not null, \
             level text not null, component text not null, message text not null, message_chars int, context jsonb, fingerprint text not null); \
             create index on public.peer (host_id, ts); create index on public.peer (host_id, source, ts); \
             create index on public.peer (host_id, ts) where level in ('error', 'warn'); \
             create index on public.peer (host_id, fingerprint, ts)",
        )
        .await?;
    let mut peer = Peer::start(server, dir, prepared)?;
    let begun = Instant::now();
    let count = "select count(*) from public.peer";
    let lines = options.lines as f64;
    let (mut cpu, mut server_cpu, mut server_pid) = (0.0, 0.0, None);
    while number(server, count).await? < lines {
        ensure!(begun.elapsed() < PATIENCE, "rsyslog did not finish");
        ensure!(peer.0.try_wait()?.is_none(), "rsyslog ended");
        cpu = process::cpu_ms(peer.0.id())?;
        if server_pid.is_none() {
            server_pid = backend(
                server,
                "query ilike '%public.peer%' and pid <> pg_backend_pid()",
            )
            .await?;
        }
        if let Some(pid) = server_pid {
            server_cpu = process::cpu_ms(pid)?;
        }
        sleep(Duration::from_millis(250)).await;
    }
    let took = begun.elapsed().as_secs_f64();
    let rss = process::peak_rss(peer.0.id())?;
    let figures = [
        ("rsyslog: lines a second", lines / took, "lines/s"),
        ("rsyslog: CPU per line", cpu * 1e3 / lines, "us"),
        (
            "rsyslog: CPU of its server process per line",
            server_cpu * 1e3 / lines,
            "us",
        ),
        ("rsyslog: peak RSS", rss, "MiB"),
    ];
    out.extend(figures.map(|(name, value, unit)| figure(name, value, unit, None)));
    Ok(())
}

/// A peer that ends with this value.
struct Peer(Child);

impl Peer {
    /// Starts rsyslog on a copy of the prepared file.
    fn start(server: &Server, dir: &Path, prepared: &Path) -> anyhow::Result<Self> {
        let target = server.target();
        let pg::Host::Socket(socket) = &target.host else {
            anyhow::bail!("the server has a socket")
        };
        let work = dir.join("rsyslog");
        fs::create_dir(&work)?;
        let file = work.join("auth.log");
        fs::copy(prepared, &file)?;
        let config = work.join("rsyslog.conf");
        fs::write(
            &config,
            format!(
                "global(workDirectory=\"{work}\" maxMessageSize=\"8k\")\n\
                 module(load=\"imfile\" mode=\"inotify\")\nmodule(load=\"ompgsql\")\n\
                 template(name=\"row\" type=\"string\" option.stdsql=\"on\" string=\"INSERT INTO public.peer (ts, host_id, source, at, level, component, message, fingerprint) \
                 VALUES (now(), 1, 'auth', 0, '%syslogseverity-text%', '%syslogtag%', '%rawmsg%', '')\")\n\
                 ruleset(name=\"r\") {{ action(type=\"ompgsql\" server=\"{socket}\" port=\"{port}\" db=\"{database}\" user=\"{user}\" pass=\"\" template=\"row\" \
                 queue.type=\"LinkedList\" queue.size=\"250000\" queue.dequeueBatchSize=\"5000\" queue.workerThreads=\"1\" action.resumeRetryCount=\"-1\") }}\n\
                 input(type=\"imfile\" file=\"{file}\" tag=\"auth\" ruleset=\"r\" freshStartTail=\"off\")\n",
                work = work.display(),
                socket = socket.display(),
                port = target.port,
                database = target.database,
                user = target.user,
                file = file.display(),
            ),
        )?;
        Ok(Self(
            Command::new("/usr/sbin/rsyslogd")
                .args(["-n", "-iNONE", "-f"])
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
        ))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Measures sources without new lines, and the time until a line is visible.
async fn quiet(
    options: &Options,
    binary: &Path,
    server: &Server,
    dir: &Path,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    let dir = dir.join("quiet");
    fs::create_dir(&dir)?;
    let sources: Vec<Source> = (0..QUIET_SOURCES)
        .map(|number| Source {
            name: format!("quiet{number}"),
            path: dir.join(format!("{number}.log")),
            parser: "syslog",
        })
        .collect();
    for source in &sources {
        fs::write(&source.path, "Nov 22 10:00:00 vm1 app[1]: begins\n")?;
    }
    let first: PathBuf = sources[0].path.clone();
    let collector = Collector::start(binary, server, &dir, 10, &sources)?;
    logs_backend(server).await?;
    sleep(Duration::from_secs(5)).await;
    let thread = process::thread(collector.pid(), "logs")?.context("no thread reads logs")?;
    let cpu = process::thread_cpu_ms(collector.pid(), thread)?;
    sleep(Duration::from_secs(options.quiet_secs)).await;
    let cpu = process::thread_cpu_ms(collector.pid(), thread)? - cpu;
    out.push(figure(
        format!("CPU of looking at {QUIET_SOURCES} quiet sources once"),
        cpu / options.quiet_secs as f64,
        "ms",
        Some(1.0),
    ));
    let mut times = times_until_visible(server, &first, options.seen).await?;
    times.sort_by(f64::total_cmp);
    if let (Some(median), Some(worst)) = (times.get(times.len() / 2), times.last()) {
        out.push(figure(
            "from written line to visible row, median",
            *median,
            "ms",
            None,
        ));
        out.push(figure(
            "from written line to visible row, worst",
            *worst,
            "ms",
            Some(2000.0),
        ));
    }
    Ok(())
}

/// Appends lines to a file and returns the milliseconds until each is a visible row.
async fn times_until_visible(server: &Server, path: &Path, lines: u32) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for number in 0..lines {
        // Not in step with the reading.
        sleep(Duration::from_millis(500 + u64::from(number) * 37)).await;
        let mut file = OpenOptions::new().append(true).open(path)?;
        writeln!(file, "Nov 22 10:00:00 vm1 app[1]: line {number} is seen")?;
        let begun = Instant::now();
        let count = format!(
            "select count(*) from collector.log_entries where source = 'quiet0' and message = 'line {number} is seen'"
        );
        until(server, &count, 1.0).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}
