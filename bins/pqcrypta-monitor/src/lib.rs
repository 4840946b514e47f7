//! The dashboard's server. Wiring only: settings, log, listener, signals; the rest is `web`.
//!
//! Once it listens, it prints one line to standard output: `listening on http://ADDRESS/monitor/`.
//! The database need not be there; the pages report that until it is.
//!
//! SIGHUP changes nothing: the settings of the dashboard take effect at its start.
//!
//! Exit status: 0 after SIGTERM or Ctrl-C, 78 for a faulty configuration, 1 for anything else.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use config::{Config, Environment};
use jiff::tz::TimeZone;
use pg::Target;
use startup::ServiceManager;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::tables::traffic::{Definitions, Funnel, Goal, Step};
use web::{App, Clock, Settings};

/// Serves the dashboard.
#[derive(Debug, Parser)]
#[command(name = "pqcrypta-monitor", version)]
struct Args {
    /// Configuration file [default: COLLECTOR_CONFIG, else /etc/pqcrypta/collector.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, instead of the configured one; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Returns the command line, for its manual and completions.
#[must_use]
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::from_process();
    startup::log(&environment);
    let loaded = match startup::settings(args.config.as_deref(), &environment, |_| Ok(())) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let listen = args.listen.unwrap_or(loaded.config.monitor.listen);
    if !listen.ip().is_loopback() {
        tracing::error!(
            "--listen {listen}: the dashboard asks nobody for a password, so it serves this machine alone; put a proxy that does in front of it"
        );
        return ExitCode::from(config::EXIT_CONFIG);
    }
    startup::run(
        &mut tokio::runtime::Builder::new_current_thread(),
        run(&loaded.config, listen, ServiceManager::of(&environment)),
    )
}

/// Returns the goals and funnels of sites. A file that is checked has nothing else in them.
fn definitions(config: &Config) -> Definitions {
    let site = |domain: &str| (!domain.is_empty()).then(|| domain.to_owned());
    let goals = config.analytics.goal.iter().map(|goal| Goal {
        site: site(&goal.site),
        name: goal.name.clone(),
        step: match goal.event.as_str() {
            "" => Step::Page(goal.page.clone()),
            event => Step::Event(event.to_owned()),
        },
    });
    let funnels = config.analytics.funnel.iter().map(|funnel| Funnel {
        site: site(&funnel.site),
        name: funnel.name.clone(),
        steps: funnel.steps.iter().map(|step| Step::parse(step)).collect(),
    });
    Definitions {
        goals: goals.collect(),
        funnels: funnels.collect(),
    }
}

/// Serves until a signal.
async fn run(config: &Config, listen: SocketAddr, manager: ServiceManager) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle Ctrl-C")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: settings of the dashboard take effect when it is restarted");
        }
    });
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let listen = listener.local_addr().context("cannot read the address")?;
    let settings = Settings {
        listen,
        base_path: config.monitor.base_path.clone(),
        allowed_hosts: config.monitor.allowed_hosts.clone(),
        interval: Duration::from_secs(u64::from(config.intervals.system_secs)),
        zone: TimeZone::system(),
        clock: Clock::System,
        definitions: Arc::new(definitions(config)),
        ..Settings::default()
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{listen}{}", settings.base_path)
        .and_then(|()| out.flush())
        .context("cannot write to standard output")?;
    drop(out);
    tracing::info!(%listen, "listening");
    manager.ready();
    tokio::spawn(manager.clone().keep_alive());
    let app = App::new(settings, Target::from(&config.database));
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        manager.stopping();
    };
    web::serve(listener, app, stop).await;
    Ok(())
}
