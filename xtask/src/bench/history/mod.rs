//! Cost of history: what is stored, what rolling up and sealing cost, and how long a chart takes.
//!
//! A host of the generated month (`testkit::month`) is stored as a collector stores it, from midnight some days ago until
//! now, rolled up, and sealed as far as days are over. Hours and days that a host has after a year are copies of the last ones, so that a chart of a
//! year reads as many rows as it would. Charts are asked for over HTTP, as the dashboard does: each metric of the
//! catalogue once, after a restart of both servers, so that nothing is cached but files. CPU of rolling up is that of the
//! server's process of the session and that of this one.
//!
//! With `--browse` nothing is measured: the store is left to a dashboard, to be paged through.

mod read;
mod rolled;
mod store;

use self::store::Stored;
use super::collector::build;
use super::monitor::Monitor;
use super::{Figure, figure};
use anyhow::ensure;
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many times the usual host; several are measured one after the other
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    times: Vec<usize>,
    /// How many days before today have samples
    #[arg(long, default_value_t = 2)]
    days: u32,
    /// Only so many hours before today have samples, and of today the last one: for many times the host, in bounded time. Days of
    /// history have as many hours then
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..24))]
    hours: Option<u32>,
    /// Measure nothing: make a year of history and show it in a dashboard at this address until interrupted
    #[arg(long)]
    browse: Option<SocketAddr>,
}

/// Ticks of a month.
const MONTH_TICKS: f64 = 30.0 * 8640.0;
/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long closing a session in order may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

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
        options.times.iter().all(|times| *times > 0) && options.days > 0,
        "a size is at least 1"
    );
    let mut figures = Vec::new();
    let monitor = build("pqcrypta-monitor")?;
    for times in &options.times {
        let stored = Stored::start(*times, options.days, options.hours).await?;
        if let Some(address) = options.browse {
            browse(&stored, &monitor, address).await?;
            return Ok(figures);
        }
        let bench = Bench {
            stored,
            monitor: monitor.clone(),
            is_usual: *times == 1,
        };
        bench.measure(&mut figures).await?;
    }
    Ok(figures)
}

/// Makes a year of history and shows it until interrupted.
async fn browse(stored: &Stored, monitor: &Path, address: SocketAddr) -> anyhow::Result<()> {
    stored.roll_up().await?;
    stored.copy_history().await?;
    stored.seal().await?;
    let monitor = Monitor::start(monitor, &stored.server, stored.dir.path(), Some(address))?;
    eprintln!(
        "a year of {}: http://{}/monitor/",
        stored.name,
        monitor.address()
    );
    eprintln!("database: {}", stored.server.target());
    eprintln!("interrupt to end");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// A host that is measured.
struct Bench {
    stored: Stored,
    monitor: PathBuf,
    is_usual: bool,
}

impl Bench {
    async fn measure(&self, out: &mut Vec<Figure>) -> anyhow::Result<()> {
        let stored = &self.stored;
        let mut add = |what: &str, value: f64, unit, target: Option<f64>| {
            let name = format!("{what}; {}", stored.name);
            // The whole takes minutes.
            eprintln!("{name}: {value:.1} {unit}");
            out.push(figure(name, value, unit, target.filter(|_| self.is_usual)));
        };
        let rows = stored.samples().await?;
        add("a process sample", rows.sample, "bytes", None);
        add("a month of samples", rows.month, "MiB", None);

        let hours = stored.roll_up().await?;
        add("roll-up of an hour, CPU", hours.hour_ms, "ms", Some(300.0));
        add("roll-up of a day, CPU", hours.day_ms, "ms", None);
        add("a month of hours", hours.month_of_hours, "MiB", None);
        add("a year of days", hours.year_of_days, "MiB", None);

        // Once more in both cases, as replacing an hour costs more than the first time.
        let alone = stored.roll_up_again().await?;
        add("roll-up of an hour once more, CPU", alone, "ms", None);
        stored.copy_history().await?;
        let again = stored.roll_up_again().await?;
        let what = "roll-up of an hour once more, CPU, beside a year of history";
        add(what, again, "ms", Some(300.0));

        let what = "what is usual and what will be full, of an hour, CPU";
        add(what, stored.usual().await?, "ms", Some(1500.0));

        let sealing = stored.seal().await?;
        add(
            "sealing an hour of all tables, CPU",
            sealing.hour_ms,
            "ms",
            Some(200.0),
        );
        add(
            "sealing an hour of a table, CPU",
            sealing.table_hour_ms,
            "ms",
            None,
        );
        let sample = stored.sealed_sample().await?;
        add("a process sample, sealed", sample, "bytes", Some(6.0));
        let month = stored.sealed_month().await?;
        add("a month of samples, sealed", month, "MiB", None);

        for (range, target) in RANGES {
            let took = stored.charts(&self.monitor, range).await?;
            let what = format!("a chart of {range}, 95th percentile");
            add(&what, took.p95, "ms", Some(target));
            let what = format!("a chart of {range}, median");
            add(&what, took.median, "ms", None);
            let what = format!("a chart of {range}, slowest ({})", took.slowest);
            add(&what, took.most, "ms", None);
        }
        let took = stored.tables(&self.monitor)?;
        let what = format!("a table of a sealed day, slowest ({})", took.slowest);
        add(&what, took.most, "ms", Some(150.0));
        add("a table of a sealed day, median", took.median, "ms", None);
        for (range, _) in &RANGES[1..] {
            let took = stored.sums(&self.monitor, range)?;
            let what = format!("a table of {range}, slowest ({})", took.slowest);
            add(&what, took.most, "ms", Some(150.0));
            add(
                &format!("a table of {range}, median"),
                took.median,
                "ms",
                None,
            );
        }

        let dropped = stored.drop_day("process_samples_sealed").await?;
        let what = "dropping a sealed day of process samples";
        add(&format!("{what}, CPU"), dropped.cpu_ms, "ms", Some(20.0));
        add(what, dropped.ms, "ms", None);
        add(
            &format!("{what}, log written"),
            dropped.log,
            "MiB",
            Some(0.2),
        );
        Ok(())
    }
}

fn count(number: usize) -> f64 {
    number.max(1) as f64
}

fn mib(bytes: f64) -> f64 {
    bytes / 1024.0 / 1024.0
}
