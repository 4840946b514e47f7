//! Cost of the collector on its host.
//!
//! The real release binary at its real cadence of 10 s, against a real PostgreSQL with fsync, with
//! 300 idle processes beside what runs anyway: CPU of the collector and of its server process per
//! cycle, memory, bytes stored per hour. Of that CPU, what judging takes: over the rows of a host that is well, in this
//! process. Then at a cadence of 1 s, to see enough ticks, how late they begin: undisturbed, with the table of
//! processes locked, and with the server gone.

use super::collector::{Children, Collector, build};
use super::{Figure, figure, judging, number, process};
use anyhow::Context;
use clap::Args;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Server, Stop};
use tokio::time::sleep;

/// Cycles before measuring: the first reads everything there is about every process.
const WARM_UP: u64 = 2;
const CADENCE: Duration = Duration::from_secs(10);

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Cycles of 10 s that are measured
    #[arg(long, default_value_t = 12)]
    cycles: u64,
    /// Idle processes that are started beside
    #[arg(long, default_value_t = 300)]
    processes: usize,
    /// Ticks of 1 s for each figure of lateness
    #[arg(long, default_value_t = 60)]
    ticks: u64,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let binary = build("pqcrypta-collector")?;
    let server = Server::builder().fsync().start()?;
    let target = server.target();
    let session = pg::connect(&target, &pg::SessionOptions::default(), "bench").await?;
    store::migrations::apply(&session.client).await?;
    let idle = (0..options.processes).map(|_| {
        Command::new("sleep")
            .arg("infinity")
            .stdin(Stdio::null())
            .spawn()
    });
    let _idle = Children(idle.collect::<Result<_, _>>()?);
    let dir = TempDir::new()?;

    let mut figures = Vec::new();
    cost(options, &binary, &server, dir.path(), &mut figures).await?;
    judging::usual(&mut figures)?;
    lateness(options, &binary, &server, dir.path(), &mut figures).await?;
    Ok(figures)
}

const STORED: &str = "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class \
                      where relnamespace = 'collector'::regnamespace and relkind = 'r'";
/// Partitions of samples of processes, with their indexes.
const SAMPLES: &str = "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class \
                       where relnamespace = 'collector'::regnamespace and relkind = 'r' \
                       and relname like 'process\\_samples%'";
/// Checkpoints of an hour at the default `checkpoint_timeout` of 5 minutes.
const CHECKPOINTS: f64 = 12.0;

const ROWS: &str = "select count(*) from collector.process_metrics_raw";

/// Returns the server processes of the collector's sessions: for samples, for logs and for watching the server.
async fn backends(server: &Server) -> anyhow::Result<Vec<u32>> {
    let rows = server
        .sql("select pid from pg_stat_activity where application_name like 'pqcrypta-collector%'")
        .await?;
    let pids = rows.into_iter().flatten().flatten();
    pids.map(|pid| pid.parse().context("a process has a number"))
        .collect()
}

fn sum_ms(pids: &[u32]) -> anyhow::Result<f64> {
    pids.iter().map(|pid| process::cpu_ms(*pid)).sum()
}

async fn cost(
    options: &Options,
    binary: &Path,
    server: &Server,
    dir: &Path,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    server.sql("create extension pg_walinspect").await?;
    let agent = Collector::start(binary, server, dir, CADENCE.as_secs(), &[])?;
    let pid = agent.pid();
    sleep(CADENCE * WARM_UP as u32 + CADENCE / 2).await;
    let backends = backends(server).await?;
    // The server would analyze its catalogs, which have just got hundreds of partitions, within the
    // measurement; it does so once.
    server.sql("analyze").await?;
    server.sql("checkpoint").await?;
    let log = LogUsage::begin(server).await?;
    let before = Usage::of(server, pid, &backends).await?;
    sleep(CADENCE * options.cycles as u32).await;
    let memory = process::memory(pid)?;
    let threads = process::threads(pid)? as f64;
    let used = Usage::of(server, pid, &backends).await?.since(&before);
    out.extend(used.figures(options.cycles as f64));
    out.extend(log.figures(server, options.cycles as f64).await?);
    let figures = [
        ("RSS of the collector", memory.rss, "MiB", Some(12.0)),
        ("PSS of the collector", memory.pss, "MiB", None),
        ("threads of the collector", threads, "threads", Some(4.0)),
    ];
    let figures = figures.map(|(name, value, unit, target)| figure(name, value, unit, target));
    out.extend(figures);
    Ok(())
}

/// Resources used and bytes stored up to an instant, or between two.
struct Usage {
    /// CPU of the collector, milliseconds.
    cpu: f64,
    /// CPU of its server processes, milliseconds.
    server_cpu: f64,
    /// Bytes of its tables with their indexes.
    stored: f64,
    /// Bytes of samples of processes with their indexes.
    samples: f64,
    /// Rows of processes.
    rows: f64,
}

impl Usage {
    async fn of(server: &Server, pid: u32, backends: &[u32]) -> anyhow::Result<Self> {
        Ok(Self {
            cpu: process::cpu_ms(pid)?,
            server_cpu: sum_ms(backends)?,
            stored: number(server, STORED).await?,
            samples: number(server, SAMPLES).await?,
            rows: number(server, ROWS).await?,
        })
    }

    /// Returns the figures of so many cycles.
    fn figures(&self, cycles: f64) -> [Figure; 5] {
        let per_hour = 360.0 / cycles / (1024.0 * 1024.0);
        let figures = [
            (
                "processes stored per cycle",
                self.rows / cycles,
                "rows",
                None,
            ),
            (
                "CPU of the collector per cycle",
                self.cpu / cycles,
                "ms",
                Some(9.0),
            ),
            (
                "CPU of its server processes per cycle",
                self.server_cpu / cycles,
                "ms",
                Some(4.0),
            ),
            (
                "stored per hour, indexes included",
                self.stored * per_hour,
                "MiB",
                None,
            ),
            (
                "stored per sample of a process, indexes included",
                self.samples / self.rows.max(1.0),
                "bytes",
                Some(120.0),
            ),
        ];
        figures.map(|(name, value, unit, target)| figure(name, value, unit, target))
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            server_cpu: self.server_cpu - before.server_cpu,
            stored: self.stored - before.stored,
            samples: self.samples - before.samples,
            rows: self.rows - before.rows,
        }
    }
}

/// The write-ahead log from an instant on, which follows a checkpoint.
struct LogUsage {
    from: String,
}

impl LogUsage {
    async fn begin(server: &Server) -> anyhow::Result<Self> {
        let from = text(server, "select pg_current_wal_flush_lsn()").await?;
        Ok(Self { from })
    }

    /// Returns the figures of so many cycles. After a checkpoint the first change of each page stores an image of it,
    /// so that the images do not depend on the number of cycles, but on that of the checkpoints.
    async fn figures(&self, server: &Server, cycles: f64) -> anyhow::Result<[Figure; 2]> {
        const MIB: f64 = 1024.0 * 1024.0;
        let sum = |column| {
            format!(
                "select sum({column}) from pg_get_wal_stats('{}', pg_current_wal_flush_lsn())",
                self.from
            )
        };
        let records = number(server, &sum("record_size")).await? * 360.0 / cycles / MIB;
        let images = number(server, &sum("fpi_size")).await? * CHECKPOINTS / MIB;
        Ok([
            figure(
                "write-ahead log per hour",
                records + images,
                "MiB",
                Some(35.0),
            ),
            figure("of it full-page images", images, "MiB", None),
        ])
    }
}

async fn lateness(
    options: &Options,
    binary: &Path,
    server: &Server,
    dir: &Path,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    let span = Duration::from_secs(options.ticks);
    let agent = Collector::start(binary, server, dir, 1, &[])?;
    sleep(Duration::from_secs(3)).await;

    let from = now(server).await?;
    sleep(span).await;
    late(server, "undisturbed", &from, 20.0, out).await?;

    let locker = pg::connect(
        &server.target(),
        &pg::SessionOptions {
            idle_in_transaction_timeout: span * 2,
            ..pg::SessionOptions::default()
        },
        "locker",
    )
    .await?;
    let from = now(server).await?;
    locker
        .client
        .batch_execute("BEGIN; LOCK TABLE collector.process_metrics_raw IN ACCESS EXCLUSIVE MODE")
        .await?;
    sleep(span).await;
    locker.client.batch_execute("COMMIT").await?;
    sleep(Duration::from_secs(2)).await;
    late(server, "with a table locked", &from, 50.0, out).await?;

    let from = now(server).await?;
    server.stop(Stop::Fast)?;
    sleep(span).await;
    server.start()?;
    // The longest pause of the writer is half a minute.
    sleep(Duration::from_secs(35)).await;
    late(server, "with the server gone", &from, 50.0, out).await?;
    drop(agent);
    Ok(())
}

async fn now(server: &Server) -> anyhow::Result<String> {
    text(server, "select clock_timestamp()").await
}

/// Returns the one value that a statement returns.
async fn text(server: &Server, sql: &str) -> anyhow::Result<String> {
    let rows = server.sql(sql).await?;
    rows.first()
        .and_then(|row| row.first().cloned().flatten())
        .with_context(|| format!("no value: {sql}"))
}

async fn late(
    server: &Server,
    when: &str,
    from: &str,
    target: f64,
    out: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    for (name, quantile, target) in [
        ("p50", 0.5, None),
        ("p99", 0.99, Some(target)),
        ("max", 1.0, None),
    ] {
        let sql = format!(
            "select percentile_cont({quantile}) within group (order by tick_late_ms) \
             from collector.collector_self_metrics where ts > '{from}'"
        );
        out.push(figure(
            format!("lateness of ticks {when}, {name}"),
            number(server, &sql).await?,
            "ms",
            target,
        ));
    }
    Ok(())
}
