//! Starts the tasks and ends them in order.

use crate::analysis::{Analysis, Seat};
use crate::baselines::BaselinesJob;
use crate::findings::Findings;
use crate::group_append::GroupAppend;
use crate::history::{self, HistoryJob};
use crate::jobs::{HostJob, ServicesJob};
use crate::judging::Judging;
use crate::learned::{self, LearnedJob};
use crate::liveness::{Liveness, Progress};
use crate::logs::{Logs, Sources};
use crate::reload::{Published, Reloader};
use crate::run_mark::{self, RunMark};
use crate::sampling::Sampling;
use crate::schedule::Schedule;
use crate::services::Services;
use crate::settings::budget_bytes;
use crate::slos::SloJob;
use crate::upkeep::Upkeep;
use crate::{clock, settings, signals};
use anyhow::Context;
use collect::{IdentityFiles, NoMachineId, Roots, host_identity};
use config::{Config, Environment, Loaded};
use jiff::tz::TimeZone;
use schema::Timestamp;
use startup::ServiceManager;
use std::path::Path;
use std::time::Duration;
use store::queue::Queue;
use store::spool::{self, Spool, SpoolError};
use store::status::SharedStatus;
use store::writer::{Agent, Host, Writer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Pause between attempts to open a spool that another collector holds.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
/// Time for everything to end after the first signal; samples are durable before.
const END_WITHIN: Duration = Duration::from_secs(4);

/// Time for rows that are held in memory to reach a disk, within the rest of five seconds.
const SAVE_WITHIN: Duration = Duration::from_millis(700);

/// Runs until a signal.
pub(crate) async fn run(
    loaded: Loaded,
    environment: Environment,
    roots: Roots,
    host: Host,
    manager: ServiceManager,
) -> anyhow::Result<()> {
    let signals::Signals { stop, reload } =
        signals::listen().context("cannot listen for signals")?;
    let Some((spool, last_write)) = open_spool(&loaded.config, &manager, stop.clone()).await?
    else {
        return Ok(());
    };
    let (mark, crashed) = RunMark::begin(&loaded.config.collector.queue_dir, last_write);
    let findings = Findings::new(&loaded.config)?;
    findings.use_zone(TimeZone::system());
    learned::restore(&loaded.config.collector.queue_dir, &findings);
    if let Some(last) = crashed {
        tracing::warn!(
            "the run before this one was not stopped: it crashed, was killed, or the host went down"
        );
        findings.note_crash(last);
    }
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
    let shared = Shared {
        group: GroupAppend::new(queue.clone(), findings),
        queue,
        sources: Sources::default(),
        published: Published::new(&loaded),
        machine_id: host.machine_id.clone(),
        hostname: host.hostname.clone(),
        progress: Progress::default(),
        seat: Seat::new(status.clone()),
        status,
        stop,
    };
    let config = &loaded.config;
    let (standby, standby_seen) = watch::channel(false);
    tokio::spawn(shared.liveness(manager, standby_seen.clone()).run());
    let schedule = shared.schedule(standby_seen.clone());
    let published = &shared.published;
    let analysis = shared.analysis(config);
    let tasks = Tasks {
        writing: tokio::spawn(shared.writer(config, host, writer_id, standby).run()),
        watching: tokio::spawn(schedule.clone().run(shared.services(config))),
        reading: tokio::spawn(shared.logs(config).run(
            published.config.subscribe(),
            standby_seen,
            shared.stop.clone(),
        )),
        judging: tokio::spawn(
            schedule
                .clone()
                .run(shared.judging(analysis.clone(), config)),
        ),
        objectives: tokio::spawn(schedule.clone().run(shared.slos(analysis, config))),
        keeping: tokio::spawn(schedule.clone().run(shared.upkeep(config))),
        rolling_up: tokio::spawn(schedule.clone().run(shared.history(config))),
        learning: tokio::spawn(schedule.clone().run(shared.learned(config))),
        comparing: tokio::spawn(schedule.clone().run(shared.baselines(config))),
        sampling: tokio::spawn(schedule.clone().run(shared.host(config, &roots))),
    };
    let reloader = Reloader::new(&loaded, environment, reload, published.clone());
    schedule.run(reloader).await;

    let ended = tokio::time::timeout(END_WITHIN, tasks.end()).await;
    if ended.is_err() {
        tracing::warn!("ending without waiting any longer; undelivered samples stay in the spool");
    }
    save_the_rest(&shared.queue).await?;
    ended.unwrap_or(Ok(()))?;
    mark.end();
    tracing::info!("stopped");
    Ok(())
}

/// The tasks other than the reload of the configuration.
struct Tasks {
    writing: JoinHandle<()>,
    watching: JoinHandle<()>,
    reading: JoinHandle<()>,
    judging: JoinHandle<()>,
    objectives: JoinHandle<()>,
    keeping: JoinHandle<()>,
    rolling_up: JoinHandle<()>,
    learning: JoinHandle<()>,
    comparing: JoinHandle<()>,
    sampling: JoinHandle<()>,
}

impl Tasks {
    /// Waits for every task, the writer last: it delivers what the others still queue.
    async fn end(self) -> anyhow::Result<()> {
        self.sampling.await.context("sampling failed")?;
        self.watching.await.context("watching services failed")?;
        self.reading.await.context("storing logs failed")?;
        self.judging.await.context("judging failed")?;
        self.objectives.await.context("judging objectives failed")?;
        self.keeping.await.context("upkeep of the store failed")?;
        self.rolling_up.await.context("rolling up failed")?;
        self.comparing.await.context("computing baselines failed")?;
        self.learning
            .await
            .context("saving what was learned failed")?;
        self.writing.await.context("delivery failed")
    }
}

/// State that the tasks share.
struct Shared {
    queue: Queue,
    group: GroupAppend,
    status: SharedStatus,
    sources: Sources,
    published: Published,
    machine_id: String,
    hostname: String,
    progress: Progress,
    /// That of the jobs among the sessions.
    seat: Seat,
    stop: watch::Receiver<bool>,
}

impl Shared {
    fn schedule(&self, standby: watch::Receiver<bool>) -> Schedule {
        Schedule {
            config: self.published.config.subscribe(),
            standby,
            stop: self.stop.clone(),
            status: self.status.clone(),
            queue: self.queue.clone(),
            clock: clock::now,
        }
    }

    fn liveness(&self, manager: ServiceManager, standby: watch::Receiver<bool>) -> Liveness {
        Liveness {
            manager,
            progress: self.progress.clone(),
            status: self.status.clone(),
            config: self.published.config.subscribe(),
            standby,
            stop: self.stop.clone(),
        }
    }

    fn writer(
        &self,
        config: &Config,
        host: Host,
        writer: Uuid,
        standby: watch::Sender<bool>,
    ) -> Writer {
        Writer {
            queue: self.queue.clone(),
            target: pg::Target::from(&config.database),
            session: settings::writer_session(config),
            host,
            agent: Agent {
                writer,
                run_id: Uuid::new_v4(),
                pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at: clock::now(),
                settings: self.published.settings.subscribe(),
            },
            options: self.published.options.subscribe(),
            status: self.status.clone(),
            standby,
            stop: self.stop.clone(),
            clock: clock::now,
        }
    }

    fn logs(&self, config: &Config) -> Logs {
        Logs {
            target: pg::Target::from(&config.database),
            session: settings::patient_session(config),
            machine_id: self.machine_id.clone(),
            sources: self.sources.clone(),
            status: self.status.clone(),
            clock: clock::now,
        }
    }

    /// Returns the session of what judges stored data.
    fn analysis(&self, config: &Config) -> Analysis {
        self.session(config, "pqcrypta-collector analysis")
    }

    /// Returns a session of jobs beside the writer's, by its name in `pg_stat_activity`.
    fn session(&self, config: &Config, name: &'static str) -> Analysis {
        Analysis::new(
            pg::Target::from(&config.database),
            settings::patient_session(config),
            name,
            self.machine_id.clone(),
            self.seat.clone(),
        )
    }

    fn judging(&self, analysis: Analysis, config: &Config) -> Judging {
        Judging::new(
            analysis,
            self.group.clone(),
            self.sources.clone(),
            self.status.clone(),
            clock::now,
            config,
        )
    }

    fn slos(&self, analysis: Analysis, config: &Config) -> SloJob {
        SloJob::new(analysis, self.group.clone(), clock::now, config)
    }

    fn upkeep(&self, config: &Config) -> Upkeep {
        Upkeep::new(
            self.session(config, "pqcrypta-collector upkeep"),
            self.group.clone(),
            self.status.clone(),
            clock::now,
            config,
        )
    }

    fn history(&self, config: &Config) -> HistoryJob {
        HistoryJob {
            analysis: self.session(config, "pqcrypta-collector history"),
            status: self.status.clone(),
            slice: history::SLICE,
        }
    }

    fn baselines(&self, config: &Config) -> BaselinesJob {
        let session = self.session(config, "pqcrypta-collector baselines");
        BaselinesJob::new(session, self.group.clone(), clock::now, config)
    }

    fn learned(&self, config: &Config) -> LearnedJob {
        LearnedJob {
            dir: config.collector.queue_dir.clone(),
            findings: self.group.findings().clone(),
        }
    }

    fn services(&self, config: &Config) -> ServicesJob {
        ServicesJob::new(
            Services::new(self.group.clone()),
            config,
            self.status.clone(),
        )
    }

    fn host(&self, config: &Config, roots: &Roots) -> HostJob {
        let mut sampling = Sampling::new(
            roots,
            config.collector.processes.clone(),
            self.group.clone(),
            self.status.clone(),
            self.sources.clone(),
            budget_bytes(config),
        );
        sampling.sum_below(config.collector.process_floor_mb);
        let textfile = sampling.textfile();
        textfile.set_host(&self.hostname);
        textfile.set_path(config.collector.textfile.as_deref());
        HostJob {
            sampling,
            queue: self.queue.clone(),
            progress: self.progress.clone(),
        }
    }
}

/// Closes the queue. Rows that neither its disk nor the database took are lost: either the queue has a note of
/// them, which becomes a gap, or the exit status reports it.
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

/// Opens the spool; waits while another collector holds it. Returns it with when it was written last before, or `None`
/// when stopped meanwhile.
async fn open_spool(
    config: &Config,
    manager: &ServiceManager,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<(Spool, Option<Timestamp>)>> {
    let dir: &Path = &config.collector.queue_dir;
    let mut is_logged = false;
    loop {
        let (path, budget) = (dir.to_owned(), budget_bytes(config));
        let opened = tokio::task::spawn_blocking(move || {
            let last_write = run_mark::last_write(&path);
            let opened = Spool::open(&path, spool::SpoolOptions::with_budget(budget));
            opened.map(|spool| (spool, last_write))
        })
        .await?;
        match opened {
            Ok(opened) => return Ok(Some(opened)),
            Err(error @ SpoolError::Busy { .. }) => {
                if !is_logged {
                    tracing::warn!(%error, "waiting until it stops");
                    manager.ready();
                    manager.status("standby: another collector uses the queue");
                    is_logged = true;
                }
                manager.alive();
                tokio::select! {
                    () = tokio::time::sleep(BUSY_PAUSE) => {}
                    _ = stop.changed() => return Ok(None),
                }
            }
            Err(error) if error.is_newer_format() => {
                return Err(startup::Refusal::new(error)).context("cannot open the spool");
            }
            Err(error) => return Err(error).context("cannot open the spool"),
        }
    }
}

/// Reads the identity of this machine.
///
/// # Errors
/// When it has none.
pub(crate) fn host(roots: &Roots, config: &Config) -> Result<Host, NoMachineId> {
    let identity = host_identity(roots, &IdentityFiles::default());
    Ok(Host {
        machine_id: identity.in_store(&config.host)?,
        hostname: identity.hostname,
        kernel: identity.kernel.unwrap_or_default(),
        os: identity.os_name.unwrap_or_default(),
        cores: identity.cores,
        memory_bytes: identity.memory_bytes,
        boot_id: identity.boot_id,
        boot_ts: identity.boot_ts,
    })
}
