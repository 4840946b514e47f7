//! Cost of judging a tick.
//!
//! All judges of the tick with the life cycle of findings, as the collector has them, over the rows of a host at ticks of
//! 10 s: every table that a metric or a judge reads, with the rows a host like that has, so that every expression of the
//! catalogue is evaluated for every key. Nothing is counted and every level is low, so that few findings are open, as of
//! most hosts; one in trouble has other things to do. It runs for an hour and a half, the longest window and the step
//! before it. Several copies judge the same rows, so that the memory of one is visible. The time is the median of ticks,
//! on a machine with nothing else to do that of a CPU.

use super::{Figure, figure, process};
use anyhow::ensure;
use insight::live::Intervals;
use insight::{Lifecycle, TickJudges};
use schema::{Cell, Every, METRICS, PgType, Role, Row, TABLES, TableDef, Timestamp, VIEWS};
use std::time::{Duration, Instant};

/// Sun, 20 Sep 2026 22:00 UTC.
const START: i64 = 1_789_941_600_000_000;
const INTERVAL: i64 = 10_000_000;
/// Ticks between two slow ones.
const SLOW: i64 = 30;
const TICKS: i64 = 540;
const COPIES: u32 = 8;

/// A host: how many rows its greater tables have at a tick.
struct Size {
    name: &'static str,
    processes: usize,
    relations: usize,
    logs: usize,
    /// Most milliseconds a tick, and most MiB.
    targets: Option<(f64, f64)>,
}

const SIZES: [Size; 2] = [
    Size {
        name: "336 processes, 50 tables, 50 indexes, 13 logs",
        processes: 336,
        relations: 50,
        logs: 13,
        targets: Some((0.5, 1.0)),
    },
    Size {
        name: "2,000 processes, 5,000 tables, 5,000 indexes, 40 logs",
        processes: 2000,
        relations: 5000,
        logs: 40,
        targets: None,
    },
];

impl Size {
    fn rows(&self, table: &TableDef) -> usize {
        match table.name {
            "process_metrics_raw" => self.processes,
            "table_metrics_raw" | "index_metrics_raw" => self.relations,
            "log_sources_raw" => self.logs,
            "statement_metrics_raw" => 200,
            "io_metrics_raw" => 60,
            "collector_runs_raw" => 12,
            "system_metrics_raw" | "collector_self_metrics" | "statement_store_raw" => 1,
            _ => 6,
        }
    }
}

/// Returns the figures of each size of host.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for size in &SIZES {
        measure(size, &mut figures)?;
    }
    Ok(figures)
}

/// Returns the figures of the usual host.
pub(super) fn usual(out: &mut Vec<Figure>) -> anyhow::Result<()> {
    measure(&SIZES[0], out)
}

fn measure(size: &Size, out: &mut Vec<Figure>) -> anyhow::Result<()> {
    ensure!(
        !cfg!(debug_assertions),
        "judging is measured in a release build: cargo xtask makes one"
    );
    let intervals = Intervals {
        host: INTERVAL,
        services: INTERVAL,
    };
    // The memory of rows is there before that of judges.
    let mut rows = rows_of(size, 0);
    let before = process::memory(std::process::id())?.rss;
    let mut copies = Vec::new();
    for _ in 0..COPIES {
        copies.push((
            TickJudges::new(intervals)?,
            Lifecycle::new(insight::rules()),
        ));
    }
    let (mut usual, mut slow) = (Vec::new(), Vec::new());
    for tick in 0..TICKS {
        let at = Timestamp(START + tick * INTERVAL);
        let begun = Instant::now();
        for (judges, findings) in &mut copies {
            // What is open stays open, so that few ticks have a transition.
            drop(judges.judge(&[&rows], findings, at));
        }
        let took = begun.elapsed() / COPIES;
        match tick % SLOW {
            0 => slow.push(took),
            _ => usual.push(took),
        }
        rows = rows_of(size, tick + 1);
    }
    let open = copies
        .first()
        .map_or(0, |(_, findings)| findings.open().count());
    let grown = process::memory(std::process::id())?.rss - before;
    let (most_ms, most_mib) = size.targets.unzip();
    let mut add = |what: &str, value, unit, target| {
        let name = format!("judging a tick, {what}; {}", size.name);
        out.push(figure(name, value, unit, target));
    };
    add("CPU", median_ms(&mut usual), "ms", most_ms);
    add("CPU of a slow tick", median_ms(&mut slow), "ms", None);
    add("open findings", open as f64, "findings", None);
    add("memory", grown / f64::from(COPIES), "MiB", most_mib);
    Ok(())
}

fn median_ms(durations: &mut [Duration]) -> f64 {
    durations.sort_unstable();
    let median = durations.get(durations.len() / 2);
    median.map_or(0.0, |median| median.as_secs_f64() * 1000.0)
}

/// Returns the rows of a tick, table by table.
fn rows_of(size: &Size, tick: i64) -> Vec<Row> {
    let is_read = |table: &TableDef| {
        let mut metrics = METRICS.iter();
        table.name == "collector_runs_raw"
            || metrics.any(|metric| metric.series.table().name == table.name)
    };
    let tables = TABLES.iter().chain(VIEWS).copied();
    let due = tables
        .filter(|table| is_read(table))
        .filter(|table| table.every == Every::Tick || tick % SLOW == 0);
    due.flat_map(|table| (0..size.rows(table)).map(move |nth| row(table, nth, tick)))
        .collect()
}

/// Returns a row of the `nth` subject of a table. Nothing is counted, so that no share is bad.
fn row(table: &'static TableDef, nth: usize, tick: i64) -> Row {
    let number = i64::try_from(nth).unwrap_or(i64::MAX);
    let cells = table.columns.iter().map(|column| match column.pg {
        PgType::Text if column.name == "instance" => Cell::Text("main".into()),
        PgType::Text if column.role == Role::Key => {
            Cell::Text(format!("{}_of_{nth}", column.name).into())
        }
        PgType::Text => Cell::Text("ok".into()),
        PgType::Bool => Cell::Bool(true),
        PgType::Jsonb => Cell::Json("[]".into()),
        PgType::Timestamptz => Cell::Time(Timestamp(START)),
        PgType::Float8 => Cell::Float(0.5),
        PgType::Int4 | PgType::Int8 if column.role == Role::Key => Cell::Int(number),
        PgType::Int4 | PgType::Int8 => Cell::Int(0),
    });
    Row {
        table,
        ts: Timestamp(START + tick * INTERVAL),
        cells: cells.collect(),
    }
}
