//! The receiver of web analytics. Wiring only: settings, log, queue, listener, signals; the rest is `analytics`.
//!
//! Once it listens, it prints one line to standard output: `listening on http://ADDRESS/`. The database need not be
//! there; reports wait in the queue until it is.
//!
//! SIGHUP makes it read the configuration again, as it does every minute: sites, proxies, files and retention take effect at once, address, queue and
//! database after a restart.
//!
//! Exit status: 0 after SIGTERM or Ctrl-C, 78 for a faulty configuration or a queue that a newer version wrote, 1 for anything else.

use analytics::clock::Clock;
use analytics::delivery::{Arrivals, Delivery, Registered, Tally};
use analytics::identity::Salts;
use analytics::networks::Databases;
use analytics::own_addresses;
use analytics::queue::Queue;
use analytics::server::{Ingest, serve};
use analytics::settings::{Settings, configured as settings};
use anyhow::Context as _;
use clap::Parser;
use config::{Config, Environment, Loaded};
use pg::Target;
use startup::{Reloader, ServiceManager};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long the delivery of what waits may take at the end; the rest stays in the queue.
const LAST_DELIVERY: Duration = Duration::from_secs(3);
/// How often salts of days that are over are forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(10);

/// How often the configuration is looked at, and the databases of addresses, which change once a month.
const RELOAD_EVERY: Duration = Duration::from_secs(60);

/// Receives what the tracker reports and stores it.
#[derive(Debug, Parser)]
#[command(name = "pqcrypta-analytics", version)]
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
    let loaded = match startup::settings(args.config.as_deref(), &environment, settings::check) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let listen = args.listen.unwrap_or(loaded.config.analytics.listen);
    let manager = ServiceManager::of(&environment);
    startup::run(
        &mut tokio::runtime::Builder::new_current_thread(),
        run(&loaded, environment, listen, manager),
    )
}

/// Serves until a signal.
async fn run(
    loaded: &Loaded,
    environment: Environment,
    listen: SocketAddr,
    manager: ServiceManager,
) -> anyhow::Result<()> {
    let config = &loaded.config;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle Ctrl-C")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let own = &config.analytics;
    let settings = settings::server(config);
    if settings.sites.is_empty() {
        tracing::warn!("no site is configured: write [[analytics.site]] with its domain");
    }
    let queue = Queue::open(&own.queue_dir, own.queue_max_mb << 20)
        .map_err(|error| match error.is_newer_format() {
            true => startup::Refusal::new(error).into(),
            false => anyhow::Error::new(error),
        })
        .with_context(|| format!("cannot open the queue in {}", own.queue_dir.display()))?;
    let salts = match &own.salts_file {
        None => Salts::in_memory(),
        Some(path) => Salts::open(path).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "salts are in memory only: a restart counts the day's visitors again");
            Salts::in_memory()
        }),
    };
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let listen = listener.local_addr().context("cannot read the address")?;
    announce(&format!(
        "listening on http://{listen}{}",
        settings.base_path
    ))?;
    tracing::info!(%listen, sites = settings.sites.len(), "listening");

    let databases = Arc::new(Databases::new(settings::files(config)));
    let (stop, stopping) = watch::channel(false);
    let (tally, arrivals) = (Tally::default(), Arrivals::default());
    let registered = watch::Sender::new(registered(config, &settings));
    let delivery = Delivery {
        target: Target::from(&config.database),
        queue: queue.clone(),
        tally: tally.clone(),
        arrivals: arrivals.clone(),
        registered: registered.subscribe(),
    };
    let (after, after_serving) = watch::channel(false);
    let delivery = tokio::spawn(delivery.run(after_serving));
    let ingest = Ingest::new(
        settings,
        queue,
        tally,
        arrivals,
        salts,
        Arc::clone(&databases),
        Clock::System,
    );
    ingest.count_faults();
    let (newest, ingest) = watch::channel(Arc::new(ingest));
    let mut reloader = Reloader::new(loaded, environment);
    tokio::spawn(async move {
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(RELOAD_EVERY) => false,
                asked = hangup.recv() => asked.is_some(),
            };
            if let Some(Loaded { config, .. }) = reloader.check(is_asked, settings::check) {
                take(&config, &newest, &registered, &databases);
            }
            let databases = Arc::clone(&databases);
            let reloaded = tokio::task::spawn_blocking(move || databases.reload()).await;
            if let Err(error) = reloaded {
                tracing::error!(%error, "databases of addresses were not read again");
            }
            newest.borrow().count_faults();
        }
    });
    tokio::spawn(look_up_own(ingest.clone()));
    let for_salts = ingest.clone();
    tokio::spawn(async move {
        loop {
            for_salts.borrow().expire_salts();
            tokio::time::sleep(EXPIRE_EVERY).await;
        }
    });
    let serving = tokio::spawn(serve(listener, ingest, stopping));
    manager.ready();
    tokio::spawn(manager.clone().keep_alive());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    manager.stopping();
    stop.send_replace(true);
    serving.await.context("the server failed")?;
    after.send_replace(true);
    if tokio::time::timeout(LAST_DELIVERY, delivery).await.is_err() {
        tracing::info!("what is not delivered stays in the queue");
    }
    Ok(())
}

/// Looks up the addresses of the operator's own names, at once and as often as they may change.
async fn look_up_own(mut ingest: watch::Receiver<Arc<Ingest>>) {
    loop {
        let (own, names) = {
            let ingest = ingest.borrow_and_update();
            let settings = &ingest.settings;
            (settings.own_addresses.clone(), settings.own_hosts.clone())
        };
        if !names.is_empty() {
            own.look_up(&names).await;
        }
        tokio::select! {
            () = tokio::time::sleep(own_addresses::EVERY) => {}
            changed = ingest.changed() => if changed.is_err() {
                return;
            }
        }
    }
}

/// Lets a configuration that was read again take effect.
fn take(
    config: &Config,
    newest: &watch::Sender<Arc<Ingest>>,
    registered_as: &watch::Sender<Registered>,
    databases: &Databases,
) {
    let settings = settings::server(config);
    databases.set_files(settings::files(config));
    // The database first: it has a number for a new site when the site's first report is delivered.
    registered_as.send_replace(registered(config, &settings));
    newest.send_modify(|ingest| *ingest = Arc::new(ingest.with_settings(settings)));
}

/// Returns what the database is told.
fn registered(config: &Config, settings: &Settings) -> Registered {
    Registered {
        sites: settings.sites.clone(),
        retention: settings::retention(config),
    }
}

fn announce(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}
