//! `pqcrypta up`: a private PostgreSQL, the collector and the monitor, on this machine.
//!
//! Standard output carries two lines, once the dashboard answers; all else is on standard error.
//! On the way down the order is monitor and collector, then the server, within five seconds; a
//! second signal shortens that to one. SIGHUP has the settings read again; only when it means that
//! the terminal of `up` is gone, it is a request to stop.

mod database;
mod demo;
mod fleet;
mod process;
mod programs;
mod server;
mod settings;
mod state;
mod upgrade;

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

use fleet::{Fleet, Program};
use settings::Settings;
use state::State;

/// How long the dashboard may take until it answers.
const MONITOR_DEADLINE: Duration = Duration::from_secs(60);
/// Most bytes read of its first page.
const MOST_READ: u64 = 1 << 20;
/// "Configuration error", as in `sysexits.h`: no restart fixes that.
const CONFIG_FAULT: i32 = 78;
const COLLECTOR: &str = "collector";
const MONITOR: &str = "monitor";
const ANALYTICS: &str = "analytics";

/// Start everything on this machine and keep it running
///
/// Starts a private PostgreSQL, the collector and the dashboard. Prints two lines on standard
/// output once the dashboard answers, `monitor: URL` and `database: URL`, and with `--demo` a third, `site: URL`. Ctrl-C or SIGTERM stops
/// everything within five seconds, a second one at once. The next start continues with the same
/// data.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Options {
    /// Directory of all data; made when missing
    #[arg(long, value_name = "DIR", default_value = ".state")]
    state_dir: PathBuf,
    /// Address and port of the dashboard; port 0 takes a free one [default: 127.0.0.1:8088]
    #[arg(long, value_name = "ADDR", value_parser = own_address)]
    listen: Option<SocketAddr>,
    /// Settings for collector and dashboard; the [database] section is replaced
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Move the data to the newest PostgreSQL that is installed, then start; the old data are kept
    ///
    /// Servers of /usr/lib/postgresql and of PATH count. When it fails or is interrupted, the data stay with their server.
    #[arg(long)]
    upgrade_postgres: bool,
    /// Run an example API, an example proxy and an example site too, and watch them
    #[arg(long)]
    demo: bool,
    /// Stop after this many seconds, counted from when the dashboard answers
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// Parses an address of the dashboard, which serves this machine alone.
fn own_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "write an address and a port, e.g. 127.0.0.1:8088".to_owned())?;
    match config::Monitor::check_listen(address) {
        Ok(()) => Ok(address),
        Err(problem) => Err(format!("it {}; {}", problem.text, problem.remedy)),
    }
}

/// Sets the faults that a test asks for, at named places.
#[cfg(debug_assertions)]
fn arm_failpoints() -> Result<()> {
    let environment = config::Environment::from_process();
    let faults = environment.get("FAILPOINTS").unwrap_or_default();
    store::failpoint::set(faults).map_err(|fault| anyhow::anyhow!("FAILPOINTS: {fault}"))
}

/// Runs until it is stopped.
///
/// # Errors
/// When something cannot be started; whatever was started is stopped first.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let had_terminal = std::io::stderr().is_terminal();
    #[cfg(debug_assertions)]
    arm_failpoints()?;
    // From here on a signal is noticed, not deadly.
    let mut signals = Signals::install().context("cannot handle signals")?;
    // Missing programs are named before anything is started.
    let (collector, monitor) = (sibling("pqcrypta-collector")?, sibling("pqcrypta-monitor")?);
    let state = State::open(&options.state_dir)?;
    let mut record = process::Record::read(&state.processes());
    record.end_leftovers().await?;
    let mut settings = match Settings::new(&state, options.config.as_deref(), options.listen) {
        Ok(settings) => settings,
        Err(error) => match error.downcast_ref::<config::Faults>() {
            Some(faults) => return Ok(crate::settings::refuse(faults)),
            None => return Err(error),
        },
    };
    let demo = match options.demo {
        true => Some(demo::Demo::new(sibling(demo::PROGRAM)?)?),
        false => None,
    };
    if let Some(demo) = &demo {
        settings.set_analytics(demo.analytics_settings(&state));
        settings.set_watched(demo.addresses());
    }
    settings.write(&state)?;
    let site = demo.as_ref().map(demo::Demo::site_url);
    let children = programs(demo, &state, &settings, collector, monitor)?;
    let mut fleet = Fleet::new(&state, record);
    let life = async {
        upgrade::tidy(&state.data).await?;
        if options.upgrade_postgres {
            upgrade::run(&state, &mut fleet).await?;
        }
        start(&state, &mut fleet, children, &settings).await?;
        announce(&settings, &state, site.as_deref());
        let mut end: std::pin::Pin<Box<dyn Future<Output = ()>>> = match options.seconds {
            Some(seconds) => Box::pin(sleep(Duration::from_secs(seconds))),
            None => Box::pin(std::future::pending()),
        };
        let file = options.config.as_deref();
        loop {
            tokio::select! {
                () = &mut end => return Ok(()),
                () = keep(&mut fleet, &mut signals.child) => {}
                _ = signals.hangup.recv() => {
                    if had_terminal && !std::io::stderr().is_terminal() {
                        return Ok(());
                    }
                    reload(&state, &mut fleet, &mut settings, file);
                }
            }
        }
    };
    let outcome = tokio::select! {
        outcome = life => outcome,
        () = signals.stop.next() => Ok(()),
    };
    if outcome.is_ok() {
        crate::say("stopping");
    }
    let hurried = tokio::select! {
        () = fleet.stop() => false,
        () = signals.stop.next() => true,
    };
    if hurried {
        fleet.kill().await;
    }
    state.leave();
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Returns the programs to start, in this order.
fn programs(
    demo: Option<demo::Demo>,
    state: &State,
    settings: &Settings,
    collector: PathBuf,
    monitor: PathBuf,
) -> Result<Vec<Program>> {
    let config = state.settings().to_string_lossy().into_owned();
    let program = |name, path, env| Program {
        name,
        path,
        args: vec!["--config".to_owned(), config.clone()],
        env,
        unset: Settings::unset(),
    };
    let mut children = Vec::new();
    let collector_env = settings.collector_env(state);
    if let Some(demo) = demo {
        children.push(demo.into_program());
        let path = sibling("pqcrypta-analytics")?;
        children.push(program(ANALYTICS, path, settings.analytics_env(state)));
    }
    children.push(program(COLLECTOR, collector, collector_env));
    children.push(program(MONITOR, monitor, settings.monitor_env(state)));
    Ok(children)
}

/// Starts everything, in order, until the dashboard answers.
async fn start(
    state: &State,
    fleet: &mut Fleet<'_>,
    children: Vec<Program>,
    settings: &Settings,
) -> Result<()> {
    let programs = programs::choose(programs::installed(), &state.data)?;
    let server = server::Server::of(state, programs);
    server::initialise(state, &server).await?;
    fleet.start_server(server).await?;
    database::prepare(&database::target(state)).await?;
    for program in children {
        fleet.start_program(program)?;
    }
    let deadline = Instant::now() + MONITOR_DEADLINE;
    while !answers(settings).await {
        for name in [COLLECTOR, MONITOR] {
            if let Some(status) = fleet.ended(name)
                && (name == MONITOR || status.code() == Some(CONFIG_FAULT))
            {
                bail!("the {name} ended ({status}); its message is above");
            }
        }
        if Instant::now() >= deadline {
            bail!(
                "the dashboard did not answer within {} s",
                MONITOR_DEADLINE.as_secs()
            );
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Looks after the processes, for ever.
async fn keep(fleet: &mut Fleet<'_>, child: &mut Signal) {
    loop {
        fleet.look_after();
        tokio::select! {
            _ = child.recv() => {}
            () = fleet.next_restart() => {}
        }
    }
}

/// Reads the settings again and passes them on; faulty ones change nothing.
fn reload(state: &State, fleet: &mut Fleet<'_>, settings: &mut Settings, file: Option<&Path>) {
    if let Some(file) = file {
        let read = settings
            .reread(state, file)
            .and_then(|()| settings.write(state));
        if let Err(error) = read {
            let faults = format!("{error:#}").replace('\n', " | ");
            crate::say(&format!(
                "SIGHUP: the settings are not taken over, those in use stay: {faults}"
            ));
            return;
        }
    }
    crate::say("SIGHUP: collector and dashboard read their settings again");
    fleet.hang_up(&[COLLECTOR, MONITOR]);
}

/// Prints the lines for scripts.
fn announce(settings: &Settings, state: &State, site: Option<&str>) {
    let mut out = std::io::stdout().lock();
    let mut lines = format!(
        "monitor: {}\ndatabase: {}\n",
        settings.url(),
        database::target(state)
    );
    if let Some(site) = site {
        lines.push_str(&format!("site: {site}\n"));
    }
    if let Err(error) = out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        crate::say(&format!("cannot write to standard output: {error}"));
    }
    crate::say(&format!(
        "other commands ask it by its settings: {}",
        settings::status_command(state)
    ));
}

/// Returns whether the dashboard answers a request for its first page.
async fn answers(settings: &Settings) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(settings.listen).await?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            settings.base_path, settings.listen
        );
        stream.write_all(request.as_bytes()).await?;
        // Read to its end: a link that is dropped early looks like a fault to the other side.
        let mut answer = Vec::new();
        stream.take(MOST_READ).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}

/// Returns a program of ours, beside this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the folder of this program")?;
    let path = own.with_file_name(name);
    if is_program(&path) {
        return Ok(path);
    }
    bail!(
        "{name} is missing beside {}: install it, or build it with `cargo build --release --locked -p {name}`",
        own.display()
    )
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The signals that matter.
#[derive(Debug)]
struct Signals {
    stop: Stop,
    child: Signal,
    hangup: Signal,
}

#[derive(Debug)]
struct Stop {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self {
            stop: Stop {
                term: signal(SignalKind::terminate())?,
                int: signal(SignalKind::interrupt())?,
            },
            child: signal(SignalKind::child())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl Stop {
    /// Waits for the next request to stop.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
