//! Puts the tasks together and ends them in order.

use crate::judging::Judging;
use crate::logs::{Logs, Sources};
use crate::reload::Reloader;
use crate::sampling::Sampling;
use crate::services::Services;
use crate::ticker::Ticker;
use crate::watched::Watched;
use crate::{clock, signals};
use anyhow::Context;
use collect::{IdentityFiles, MachineIdSource, Roots, host_identity};
use config::{Config, Environment, Loaded};
use std::path::Path;
use std::time::Duration;
use store::expiry::Retention;
use store::queue::Queue;
use store::spool::{self, Spool, SpoolError};
use store::status::SharedStatus;
use store::writer::{Agent, Host, Options, Writer};
use tokio::sync::watch;
use uuid::Uuid;

/// How long to wait before asking again for a spool that another collector holds.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
/// Time for everything to end after the first signal; what is sampled is durable before.
const END_WITHIN: Duration = Duration::from_secs(4);

/// Time for what is held in memory to reach a disk, in what is then left of five seconds.
const SAVE_WITHIN: Duration = Duration::from_millis(700);

/// Runs until a signal.
pub(crate) async fn run(
    loaded: Loaded,
    environment: Environment,
    roots: Roots,
) -> anyhow::Result<()> {
    let signals::Signals { stop, reload } =
        signals::listen().context("cannot listen for signals")?;
    let Some(spool) = open_spool(&loaded.config, stop.clone()).await? else {
        return Ok(());
    };
    let host = host(&roots);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        host = host.hostname,
        spool = %spool.writer(),
        database = %pg::Target::from(&loaded.config.database),
        "started"
    );
    let writer_id = spool.writer();
    let queue = Queue::new(spool);
    let status = SharedStatus::default();
    let (config, config_seen) = watch::channel(loaded.config.clone());
    let (options, options_seen) = watch::channel(options(&loaded.config));
    let (settings, settings_seen) = watch::channel(settings(&loaded));
    let (standby, standby_seen) = watch::channel(false);

    let sources = Sources::default();
    let logs = Logs {
        target: pg::Target::from(&loaded.config.database),
        // Nobody waits for lines as for samples: a table that is locked for a moment is waited for.
        session: pg::SessionOptions::for_deadline(loaded.config.collector.query_timeout()),
        machine_id: host.machine_id.clone(),
        sources: sources.clone(),
        status: status.clone(),
        clock: clock::now,
    };
    let judging = Judging {
        target: pg::Target::from(&loaded.config.database),
        session: pg::SessionOptions::for_deadline(loaded.config.collector.query_timeout()),
        machine_id: host.machine_id.clone(),
        queue: queue.clone(),
        status: status.clone(),
        sources: sources.clone(),
        clock: clock::now,
    };
    let writer = Writer {
        queue: queue.clone(),
        target: pg::Target::from(&loaded.config.database),
        session: session_options(&loaded.config),
        host,
        agent: Agent {
            writer: writer_id,
            run_id: Uuid::new_v4(),
            pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: clock::now(),
            settings: settings_seen,
        },
        options: options_seen,
        status: status.clone(),
        standby,
        stop: stop.clone(),
        clock: clock::now,
    };
    let mut sampling = Sampling::new(
        &roots,
        loaded.config.collector.processes.clone(),
        queue.clone(),
        status,
        sources,
        budget_bytes(&loaded.config),
    );
    let at_the_end = queue.clone();
    sampling.sum_below(loaded.config.collector.process_floor_mb);
    let mut reloader = Reloader::new(&loaded, environment);
    let writing = tokio::spawn(writer.run());
    let watching = tokio::spawn(watch_services(
        Services::new(queue.clone()),
        config_seen.clone(),
        standby_seen.clone(),
        stop.clone(),
    ));
    let reading = tokio::spawn(logs.run(config_seen.clone(), standby_seen.clone(), stop.clone()));
    let judging =
        tokio::spawn(judging.run(config_seen.clone(), standby_seen.clone(), stop.clone()));
    let sampling = tokio::spawn(sample(
        sampling,
        queue,
        config_seen,
        standby_seen,
        stop.clone(),
    ));
    let mut stop = stop;
    while let Some(loaded) = reloader.next(&reload, &mut stop).await {
        options.send_replace(self::options(&loaded.config));
        settings.send_replace(self::settings(&loaded));
        config.send_replace(loaded.config);
    }
    let end = async {
        sampling.await.context("sampling failed")?;
        watching.await.context("watching services failed")?;
        reading.await.context("storing logs failed")?;
        judging.await.context("judging failed")?;
        writing.await.context("delivery failed")
    };
    let ended = tokio::time::timeout(END_WITHIN, end).await;
    if ended.is_err() {
        tracing::warn!(
            "ending without waiting any longer; what is not delivered stays in the spool"
        );
    }
    save_the_rest(&at_the_end).await?;
    ended.unwrap_or(Ok(()))?;
    tracing::info!("stopped");
    Ok(())
}

/// Ends the queue. What its disk does not take and the database did not get is lost: either the queue has a
/// note of it, which becomes a gap, or the exit status says so.
async fn save_the_rest(queue: &Queue) -> anyhow::Result<()> {
    let ended = tokio::time::timeout(SAVE_WITHIN, queue.close()).await;
    let unsaved =
        ended.context("the queue's disk does not answer; what was held in memory is lost")?;
    anyhow::ensure!(
        unsaved.is_noted,
        "the queue's disk takes nothing and the database did not get them: {} ticks are lost",
        unsaved.records
    );
    if unsaved.records > 0 {
        tracing::warn!(
            records = unsaved.records,
            "samples that were held in memory are lost; noted as a gap"
        );
    }
    Ok(())
}

/// Ticks until the end; a tick that has begun is finished.
async fn sample(
    mut sampling: Sampling,
    queue: Queue,
    mut config: watch::Receiver<Config>,
    mut standby: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut ticker = Ticker::new(interval(&config.borrow()), clock::now);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            late = ticker.tick() => {
                if *standby.borrow_and_update() {
                    continue;
                }
                sampling.sample(clock::now(), late).await;
            }
            changed = config.changed() => {
                if changed.is_err() {
                    return;
                }
                let config = config.borrow_and_update().clone();
                ticker.set_interval(interval(&config));
                sampling.watch(config.collector.processes.clone());
                sampling.sum_below(config.collector.process_floor_mb);
                let budget = budget_bytes(&config);
                sampling.set_budget(budget);
                queue.with_spool(move |spool| spool.set_budget(budget)).await;
            }
        }
    }
}

/// Ticks of the services until the end.
async fn watch_services(
    mut services: Services,
    mut config: watch::Receiver<Config>,
    mut standby: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut now = config.borrow_and_update().clone();
    let mut watched = Watched::of(&now);
    watched.add_to(&mut services);
    let mut ticker = Ticker::new(app_interval(&now), clock::now);
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            _ = ticker.tick() => {
                if *standby.borrow_and_update() {
                    continue;
                }
                let slow = Duration::from_secs(u64::from(now.intervals.pg_extended_secs));
                services.tick(clock::now(), slow).await;
            }
            changed = config.changed() => {
                if changed.is_err() {
                    break;
                }
                now = config.borrow_and_update().clone();
                ticker.set_interval(app_interval(&now));
                let wanted = Watched::of(&now);
                if wanted != watched {
                    services.replace(|services| wanted.add_to(services)).await;
                    watched = wanted;
                }
            }
        }
    }
    services.close().await;
}

/// Opens the spool; waits while another collector holds it. `None` when told to stop meanwhile.
async fn open_spool(
    config: &Config,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<Spool>> {
    let dir: &Path = &config.collector.queue_dir;
    let mut said = false;
    loop {
        let (path, budget) = (dir.to_owned(), budget_bytes(config));
        let opened = tokio::task::spawn_blocking(move || {
            Spool::open(&path, spool::Options::with_budget(budget))
        })
        .await?;
        match opened {
            Ok(spool) => return Ok(Some(spool)),
            Err(error @ SpoolError::Busy { .. }) => {
                if !said {
                    tracing::warn!(%error, "waiting until it stops");
                    said = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(BUSY_PAUSE) => {}
                    _ = stop.changed() => return Ok(None),
                }
            }
            Err(error) => return Err(error).context("cannot open the spool"),
        }
    }
}

fn host(roots: &Roots) -> Host {
    let identity = host_identity(roots, &IdentityFiles::default());
    if identity.machine_id_source == MachineIdSource::Hostname {
        tracing::warn!(
            "this machine has no /etc/machine-id; its identity is derived from its name (systemd-machine-id-setup makes one)"
        );
    }
    Host {
        machine_id: identity.machine_id,
        hostname: identity.hostname,
        kernel: identity.kernel.unwrap_or_default(),
        os: identity.os_name.unwrap_or_default(),
        cores: identity.cores,
        memory_bytes: identity.memory_bytes,
        boot_id: identity.boot_id,
        boot_ts: identity.boot_ts,
    }
}

fn interval(config: &Config) -> Duration {
    Duration::from_secs(u64::from(config.intervals.system_secs))
}

fn app_interval(config: &Config) -> Duration {
    Duration::from_secs(u64::from(config.intervals.app_secs))
}

fn budget_bytes(config: &Config) -> u64 {
    config.collector.queue_max_mb.saturating_mul(1024 * 1024)
}

fn options(config: &Config) -> Options {
    Options {
        deadline: config.collector.query_timeout(),
        batch_records: config.collector.batch_size as usize,
        heartbeat: Duration::from_secs(u64::from(config.intervals.heartbeat_secs)),
        retention: Retention {
            raw_days: days(config.retention.raw_days),
            hourly_days: days(config.retention.hourly_days),
            long_days: days(config.retention.daily_days),
            log_days: days(config.retention.log_days),
            event_days: days(config.retention.event_days),
        },
    }
}

fn days(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

fn session_options(config: &Config) -> pg::SessionOptions {
    pg::SessionOptions {
        // A table that is locked is left for later rather than waited for.
        lock_timeout: Duration::from_millis(500),
        ..pg::SessionOptions::for_deadline(config.collector.query_timeout())
    }
}

/// `{"intervals.system_secs": ["10", "default"]}`, secrets masked.
fn settings(loaded: &Loaded) -> String {
    let map: serde_json::Map<String, serde_json::Value> = loaded
        .effective
        .iter()
        .map(|setting| {
            let pair = vec![setting.value.clone().into(), setting.origin.as_str().into()];
            (setting.key.to_string(), serde_json::Value::Array(pair))
        })
        .collect();
    serde_json::Value::Object(map).to_string()
}
