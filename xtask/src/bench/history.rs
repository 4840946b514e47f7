//! Cost of history: what is stored, what rolling up costs, and how long a chart takes.
//!
//! A host of the generated month (`testkit::month`) is stored as a collector stores it, from midnight two days ago until
//! now, and rolled up. Hours and days that a host has after a year are copies of the last ones, so that a chart of a
//! year reads as many rows as it would. Charts are asked for over HTTP, as the dashboard does: each metric of the
//! catalogue once, after a restart of both servers, so that nothing is cached but files. CPU of rolling up is that of the
//! server's process of the session and that of this one.

use super::collector::build;
use super::monitor::Monitor;
use super::{Figure, figure, number, process};
use anyhow::{Context, ensure};
use clap::Args;
use schema::Timestamp;
use schema::micros::{DAY, HOUR};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use store::expiry::Retention;
use store::queue::Queue;
use store::rollup;
use store::spool::{Spool, SpoolOptions};
use store::status::SharedStatus;
use store::writer::{Agent, Host, Writer, WriterOptions};
use tempfile::TempDir;
use testkit::month::{Month, Plan, Size, Tick};
use testkit::{Server, Stop};
use tokio::sync::watch;
use tokio::time::sleep;

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many times the usual host; several are measured one after the other
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    times: Vec<usize>,
}

/// Ticks and days of a month.
const MONTH_TICKS: f64 = 30.0 * 8640.0;
/// Retention as it is configured by default, days.
const HOURLY_DAYS: i64 = 90;
const DAILY_DAYS: i64 = 365;
/// Records that wait for delivery at most: some hours of ticks.
const MOST_WAITING: u64 = 2000;
/// Ticks that are queued together.
const CHUNK: usize = 60;
/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long closing a session in order may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How often hours were rolled up.
const HOURS: &str = "SELECT sum(version) FROM collector.rollups WHERE grain = 'hour'";

/// Ranges of charts, with the target of the 95th percentile, milliseconds.
const RANGES: [(&str, f64); 5] = [
    ("1h", 25.0),
    ("24h", 30.0),
    ("7d", 40.0),
    ("30d", 40.0),
    ("365d", 40.0),
];

pub(crate) async fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    ensure!(
        options.times.iter().all(|times| *times > 0),
        "a size is at least 1"
    );
    let mut figures = Vec::new();
    let monitor = build("pqcrypta-monitor")?;
    for times in &options.times {
        let bench = Bench::start(*times, monitor.clone()).await?;
        bench.measure(&mut figures).await?;
    }
    Ok(figures)
}

/// A server with the rows of a host of some size.
struct Bench {
    server: Server,
    monitor: PathBuf,
    dir: TempDir,
    /// Name of the size.
    name: String,
    is_usual: bool,
    /// Midnight of the first day.
    begin: i64,
    ticks: f64,
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

impl Bench {
    async fn start(times: usize, monitor: PathBuf) -> anyhow::Result<Self> {
        let size = Size {
            processes: Size::USUAL.processes * times,
            tables: Size::USUAL.tables * times,
            statements: Size::USUAL.statements * times,
            logs: Size::USUAL.logs,
        };
        // What the server does of its own would be counted; statistics are made where it would make them.
        let server = Server::builder()
            .setting("autovacuum", "off")
            .setting("shared_buffers", "128MB")
            .setting("max_wal_size", "4GB")
            .start()?;
        testkit::migrate(&server.target()).await?;
        let begin = now().as_micros().div_euclid(DAY) * DAY - 2 * DAY;
        let plan = Plan {
            begin: Timestamp(begin),
            ..Plan::healthy(11, 3, size)
        };
        let mut bench = Self {
            server,
            monitor,
            dir: TempDir::new()?,
            name: format!(
                "{} processes, {} tables, {} statements",
                size.processes, size.tables, size.statements
            ),
            is_usual: times == 1,
            begin,
            ticks: 0.0,
        };
        let until = now();
        let month = Month::new(&plan).take_while(|tick| tick.ts < until);
        bench.ticks = bench.store(month).await?;
        bench.vacuum().await?;
        Ok(bench)
    }

    /// Stores ticks as a collector does. Returns how many there were.
    async fn store(&self, ticks: impl Iterator<Item = Tick>) -> anyhow::Result<f64> {
        let spool = Spool::open(self.dir.path(), SpoolOptions::with_budget(4 << 30))?;
        let id = spool.writer();
        let queue = Queue::new(spool);
        let (stop, stop_seen) = watch::channel(false);
        let (standby, _standby_seen) = watch::channel(false);
        let (_settings, settings_seen) = watch::channel("{}".to_owned());
        let (_options, options_seen) = watch::channel(WriterOptions {
            deadline: Duration::from_secs(60),
            batch_records: 200,
            heartbeat: Duration::from_secs(5),
            retention: Retention {
                raw_days: 14,
                hourly_days: i32::try_from(HOURLY_DAYS)?,
                long_days: i32::try_from(DAILY_DAYS)?,
                log_days: 7,
                event_days: 30,
                max_bytes: None,
            },
        });
        let writer = Writer {
            queue: queue.clone(),
            target: self.server.target(),
            session: pg::SessionOptions::for_deadline(Duration::from_secs(60)),
            host: Host {
                machine_id: "bench".to_owned(),
                hostname: "bench".to_owned(),
                ..Host::default()
            },
            agent: Agent {
                writer: id,
                run_id: id,
                pid: 1,
                version: "bench".to_owned(),
                started_at: Timestamp(self.begin),
                settings: settings_seen,
            },
            options: options_seen,
            status: SharedStatus::default(),
            standby,
            stop: stop_seen,
            clock: now,
        };
        let writing = tokio::spawn(writer.run());
        let waits = async |most: u64| {
            while queue.depth().await.records > most {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let (mut chunk, mut count) = (Vec::new(), 0.0);
        for tick in ticks {
            count += 1.0;
            chunk.push((tick.ts, tick.rows));
            if chunk.len() == CHUNK {
                queue.append_all(std::mem::take(&mut chunk)).await?;
                waits(MOST_WAITING).await;
            }
        }
        queue.append_all(chunk).await?;
        waits(0).await;
        stop.send_replace(true);
        writing.await?;
        Ok(count)
    }

    async fn measure(&self, out: &mut Vec<Figure>) -> anyhow::Result<()> {
        let mut add = |what: &str, value: f64, unit, target: Option<f64>| {
            let name = format!("{what}; {}", self.name);
            // The whole takes minutes.
            eprintln!("{name}: {value:.1} {unit}");
            out.push(figure(name, value, unit, target.filter(|_| self.is_usual)));
        };
        let stored = self.stored().await?;
        add("a process sample", stored.sample, "bytes", None);
        add("a month of samples", stored.month, "MiB", None);

        let hours = self.roll_up().await?;
        add("roll-up of an hour, CPU", hours.hour_ms, "ms", Some(300.0));
        add("roll-up of a day, CPU", hours.day_ms, "ms", None);
        add("a month of hours", hours.month_of_hours, "MiB", None);
        add("a year of days", hours.year_of_days, "MiB", None);

        self.copy_history().await?;
        let again = self.roll_up_again().await?;
        let what = "roll-up of an hour, CPU, beside a year of history";
        add(what, again, "ms", Some(300.0));

        for (range, target) in RANGES {
            let took = self.charts(range).await?;
            let what = format!("a chart of {range}, 95th percentile");
            add(&what, took.p95, "ms", Some(target));
            add(
                &format!("a chart of {range}, median"),
                took.median,
                "ms",
                None,
            );
            let what = format!("a chart of {range}, slowest ({})", took.slowest);
            add(&what, took.most, "ms", None);
        }

        let (ms, wal) = self.drop_day().await?;
        add("dropping a day of process samples", ms, "ms", Some(20.0));
        let what = "dropping a day of process samples, log written";
        add(what, wal, "MiB", Some(0.2));
        Ok(())
    }

    /// Does what the server's own autovacuum would do.
    async fn vacuum(&self) -> anyhow::Result<()> {
        let session = self.session().await?;
        session.client.batch_execute("VACUUM ANALYZE").await?;
        session.close(CLOSE_WITHIN).await;
        Ok(())
    }

    /// Opens a session as the collector's job does.
    async fn session(&self) -> anyhow::Result<pg::Session> {
        let options = pg::SessionOptions::for_deadline(PATIENCE);
        Ok(pg::connect(&self.server.target(), &options, "bench").await?)
    }

    async fn bytes(&self, tables: &str) -> anyhow::Result<f64> {
        let sql = format!(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class \
             WHERE relnamespace = 'collector'::regnamespace AND relkind = 'r' AND {tables}"
        );
        number(&self.server, &sql).await
    }

    async fn stored(&self) -> anyhow::Result<Stored> {
        let count = "SELECT count(*) FROM collector.process_samples";
        let samples = number(&self.server, count).await?;
        let processes = self.bytes(r"relname ~ '^process_(samples|identities)_'");
        let raw = self.bytes(r"relispartition AND relname !~ '^metric_(hours|days)_'");
        Ok(Stored {
            sample: processes.await? / samples,
            month: mib(raw.await?) / self.ticks * MONTH_TICKS,
        })
    }

    /// Rolls up everything.
    async fn roll_up(&self) -> anyhow::Result<RolledUp> {
        let session = self.session().await?;
        let (whole_ms, outcome) = rolled_up(&session).await?;
        let hours_rolled = number(&self.server, HOURS).await?;
        // The days once more, alone.
        let again = "DELETE FROM collector.rollups WHERE grain = 'day'";
        session.client.batch_execute(again).await?;
        let (days_ms, days) = rolled_up(&session).await?;
        session.close(CLOSE_WITHIN).await;
        ensure!(outcome.left == 0 && days.hours == 0, "hours are left");
        let day_ms = days_ms / count(days.days);
        self.vacuum().await?;
        let hours = self.bytes(r"relname ~ '^metric_hours_'").await?;
        let days = self.bytes(r"relname ~ '^metric_days_'").await?;
        Ok(RolledUp {
            hour_ms: (whole_ms - day_ms * count(outcome.days)) / hours_rolled,
            day_ms,
            month_of_hours: mib(hours) / count(outcome.hours) * 720.0,
            year_of_days: mib(days) / count(outcome.days) * 365.0,
        })
    }

    /// Makes the hours and days that a host has after a year: copies of the last complete day.
    async fn copy_history(&self) -> anyhow::Result<()> {
        let at = |micros: i64| format!("('epoch'::timestamptz + {micros} * interval '1 us')");
        let (from, to) = (at(self.begin + DAY), at(self.begin + 2 * DAY));
        let mut sql = format!(
            "SELECT collector.ensure_partition('metric_hours', d::date), collector.ensure_partition('metric_days', d::date) \
             FROM generate_series({to} - interval '{DAILY_DAYS} days', {to}, interval '1 day') d;"
        );
        for (table, grain, days) in [
            ("metric_hours", "hour", HOURLY_DAYS),
            ("metric_days", "day", DAILY_DAYS),
        ] {
            // The first day has rows of its own.
            let copies = format!(
                "generate_series(2, {days} - 2) n WHERE bucket >= {from} AND bucket < {to}"
            );
            let earlier = "bucket - n * interval '24 hours'";
            sql += &format!(
                "INSERT INTO collector.{table} SELECT {earlier}, host_id, layout, key, stats FROM collector.{table}, {copies};\
                 INSERT INTO collector.rollups SELECT host_id, grain, {earlier}, version, ticks FROM collector.rollups, {copies} \
                 AND grain = '{grain}';"
            );
        }
        let session = self.session().await?;
        session.client.batch_execute(&sql).await?;
        session.close(CLOSE_WITHIN).await;
        self.vacuum().await
    }

    /// Rolls up hours once more; returns the CPU of one, milliseconds.
    async fn roll_up_again(&self) -> anyhow::Result<f64> {
        // Every third, as each takes the one after it along: hours are counted as they are rolled up.
        let changed = format!(
            "INSERT INTO collector.changed_hours (host_id, bucket) \
             SELECT 1, 'epoch'::timestamptz + ({} + n * {HOUR}) * interval '1 us' FROM generate_series(1, 22, 3) n",
            self.begin + DAY
        );
        self.server.sql(&changed).await?;
        let session = self.session().await?;
        let before = number(&self.server, HOURS).await?;
        let (ms, outcome) = rolled_up(&session).await?;
        let hours_rolled = number(&self.server, HOURS).await? - before;
        // Without the day that follows.
        let again = "DELETE FROM collector.rollups WHERE grain = 'day' AND bucket > now() - interval '3 days'";
        session.client.batch_execute(again).await?;
        let (day_ms, days) = rolled_up(&session).await?;
        session.close(CLOSE_WITHIN).await;
        let day_ms = day_ms / count(days.days) * count(outcome.days);
        Ok((ms - day_ms) / hours_rolled)
    }

    /// Asks for one chart of each metric over a range.
    async fn charts(&self, range: &str) -> anyhow::Result<Charts> {
        // Weighted latencies are no metrics of the catalogue.
        let metrics = "SELECT DISTINCT metric FROM collector.metrics_hourly \
            WHERE bucket >= now() - interval '3 hours' AND metric NOT LIKE '%_by_requests' ORDER BY 1";
        let metrics = self.server.sql(metrics).await?;
        self.server.stop(Stop::Fast)?;
        self.server.start()?;
        let monitor = Monitor::start(&self.monitor, &self.server, self.dir.path())?;
        // The monitor has connected and knows its hosts.
        monitor.get("meta")?;
        let mut took = Vec::new();
        for metric in metrics.into_iter().flatten().flatten() {
            let path = format!("series?m={metric}&from=now-{range}");
            let begun = Instant::now();
            let body = monitor.get(&path)?;
            took.push((begun.elapsed().as_secs_f64() * 1000.0, metric));
            ensure!(body.contains("\"avg\":["), "no series: {path}");
        }
        took.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let nth = |share: usize| took.get((took.len() * share / 100).min(took.len() - 1));
        let (most, slowest) = took.last().cloned().context("no metric")?;
        Ok(Charts {
            median: nth(50).map_or(0.0, |(ms, _)| *ms),
            p95: nth(95).map_or(0.0, |(ms, _)| *ms),
            most,
            slowest,
        })
    }

    /// Drops the samples of processes of a day; returns milliseconds and MiB of the log.
    async fn drop_day(&self) -> anyhow::Result<(f64, f64)> {
        const LOG: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')";
        let keep = "UPDATE collector.retention SET raw_days = 1";
        self.server.sql(keep).await?;
        let session = self.session().await?;
        let before = number(&self.server, LOG).await?;
        let expire =
            "SELECT partition FROM collector.expire_partition('process_samples', 'raw', $1)";
        let clock = now().as_micros();
        let begun = Instant::now();
        let dropped = session.client.query_opt(expire, &[&clock]).await?;
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        ensure!(dropped.is_some(), "no day is expired");
        let written = number(&self.server, LOG).await? - before;
        session.close(CLOSE_WITHIN).await;
        Ok((ms, mib(written)))
    }
}

/// What samples take.
struct Stored {
    /// Bytes of one of a process, with indexes.
    sample: f64,
    /// MiB of all samples of a month.
    month: f64,
}

/// What rolling up costs.
struct RolledUp {
    hour_ms: f64,
    day_ms: f64,
    /// MiB.
    month_of_hours: f64,
    year_of_days: f64,
}

/// How long charts take, milliseconds.
struct Charts {
    median: f64,
    p95: f64,
    most: f64,
    slowest: String,
}

/// Rolls up what is due; returns the CPU that it took, here and at the server, milliseconds.
async fn rolled_up(session: &pg::Session) -> anyhow::Result<(f64, rollup::Outcome)> {
    let cpu = || -> anyhow::Result<f64> {
        let server = process::cpu_ms(u32::try_from(session.pid)?)?;
        Ok(server + process::cpu_ms(std::process::id())?)
    };
    let before = cpu()?;
    let outcome = rollup::run(&session.client, PATIENCE).await?;
    let outcome = outcome.context("another session rolls up")?;
    Ok((cpu()? - before, outcome))
}

fn count(number: usize) -> f64 {
    number.max(1) as f64
}

fn mib(bytes: f64) -> f64 {
    bytes / 1024.0 / 1024.0
}
