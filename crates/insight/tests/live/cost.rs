//! What the reading of all thresholds, and judging as a whole, cost a tick. It prints and asserts nothing:
//!
//! ```sh
//! cargo nextest run --cargo-profile release -p pqcrypta-insight --test live --run-ignored only --no-capture cost
//! ```

use std::fs;
use std::time::{Duration, Instant};

use insight::live::{Intervals, Live};
use insight::{Lifecycle, TickJudges};
use schema::{Cell, Every, PgType, Role, Row, TableDef, Timestamp};

use crate::rows::{START, sources};

const INTERVAL: i64 = 10_000_000;
/// Ticks between two slow ones.
const SLOW: i64 = 30;
/// An hour and a half: the longest window and the step before it.
const TICKS: i64 = 540;
/// Enough of them that the memory of one is visible.
const COPIES: usize = 8;

/// A host: how many rows a table has at a tick.
struct Size {
    name: &'static str,
    processes: usize,
    relations: usize,
    logs: usize,
}

impl Size {
    fn rows(&self, table: &TableDef) -> usize {
        match table.name {
            "process_metrics_raw" => self.processes,
            "table_metrics_raw" | "index_metrics_raw" => self.relations,
            "log_sources_raw" => self.logs,
            "statement_metrics_raw" => 200,
            "io_metrics_raw" => 60,
            "system_metrics_raw" | "collector_self_metrics" | "statement_store_raw" => 1,
            _ => 6,
        }
    }
}

/// Returns a row as the collector makes it, of the `nth` subject of a table.
fn row(table: &'static TableDef, nth: usize, tick: i64) -> Row {
    let number = i64::try_from(nth).unwrap();
    let cells = table.columns.iter().map(|column| {
        let is_counted = matches!(column.role, Role::Counter | Role::Amount);
        match column.pg {
            PgType::Text if column.name == "instance" => Cell::Text("main".into()),
            PgType::Text if column.role == Role::Key => {
                Cell::Text(format!("{}_of_{nth}", column.name).into())
            }
            PgType::Text => Cell::Text("ok".into()),
            PgType::Bool => Cell::Bool(true),
            PgType::Jsonb => Cell::Json("[]".into()),
            PgType::Timestamptz => Cell::Time(Timestamp(START)),
            PgType::Float8 => Cell::Float(0.5 + f64::from(u32::try_from(tick).unwrap())),
            _ if column.role == Role::Key => Cell::Int(number),
            _ if is_counted => Cell::Int(tick * (number + 1)),
            _ => Cell::Int(tick + number),
        }
    });
    Row {
        table,
        ts: Timestamp(START + tick * INTERVAL),
        cells: cells.collect(),
    }
}

fn rows(size: &Size, tick: i64) -> Vec<Row> {
    let is_due = |table: &&&TableDef| table.every == Every::Tick || tick % SLOW == 0;
    let tables = sources();
    let tables = tables.iter().filter(is_due);
    tables
        .flat_map(|table| (0..size.rows(table)).map(|nth| row(table, nth, tick)))
        .collect()
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() * 1024
}

/// What is measured: it takes the rows of a tick and returns how much it read or told.
trait Measured {
    fn tick(&mut self, rows: &[Row], at: Timestamp) -> usize;
}

impl Measured for Live {
    fn tick(&mut self, rows: &[Row], at: Timestamp) -> usize {
        let mut readings = 0;
        for row in rows {
            self.ingest(row);
        }
        self.read(at, |_, all| readings += all.count());
        readings
    }
}

/// Every judge of the tick with the life cycle.
struct Judging {
    judges: TickJudges,
    findings: Lifecycle,
}

impl Measured for Judging {
    fn tick(&mut self, rows: &[Row], at: Timestamp) -> usize {
        self.judges.judge(&[rows], &mut self.findings, at).len()
    }
}

fn measure<M: Measured>(size: &Size, what: &str, make: impl Fn() -> M) {
    // The memory of rows is there before that of samples.
    let (mut batch, mut count) = (rows(size, 0), 0);
    let before = resident_bytes();
    let mut copies: Vec<M> = (0..COPIES).map(|_| make()).collect();
    let (mut usual, mut slow) = (Vec::new(), Vec::new());
    for tick in 0..TICKS {
        let begin = Instant::now();
        for copy in &mut copies {
            count += copy.tick(&batch, Timestamp(START + tick * INTERVAL));
        }
        let list = if tick % SLOW == 0 {
            &mut slow
        } else {
            &mut usual
        };
        list.push(begin.elapsed() / u32::try_from(COPIES).unwrap());
        batch = rows(size, tick + 1);
    }
    let bytes = resident_bytes().saturating_sub(before) / u64::try_from(COPIES).unwrap();
    let median = |list: &mut Vec<Duration>| {
        list.sort_unstable();
        list[list.len() / 2].as_micros()
    };
    println!(
        "{what}, {}: {} µs per tick, {} µs at slow ticks, {} KiB, {} in all",
        size.name,
        median(&mut usual),
        median(&mut slow),
        bytes / 1024,
        count / COPIES,
    );
}

#[test]
#[ignore = "prints what it costs"]
fn cost_of_a_tick() {
    for size in [
        Size {
            name: "336 processes, 50 tables, 50 indexes, 13 logs",
            processes: 336,
            relations: 50,
            logs: 13,
        },
        Size {
            name: "2000 processes, 5000 tables, 5000 indexes, 40 logs",
            processes: 2000,
            relations: 5000,
            logs: 40,
        },
    ] {
        let intervals = Intervals {
            host: INTERVAL,
            services: INTERVAL,
        };
        measure(&size, "readings", || Live::new(intervals).unwrap());
        measure(&size, "judging", || Judging {
            judges: TickJudges::new(intervals).unwrap(),
            findings: Lifecycle::new(insight::rules()),
        });
    }
}
