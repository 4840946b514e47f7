//! Cost of knowing what is normal: the cycle of five minutes, and the memory of what is learned.
//!
//! All judges of the tick, as the collector has them, over a generated host that is sampled once a minute, for three
//! hours. The tick that ends a cycle reads every scored series and feeds its detector; what it costs beyond the
//! median of the other ticks is the cycle. Several copies judge the same rows, so that the memory of one is visible: it
//! includes the samples of the last minutes, of every judge. The greater hosts have as many times the processes, tables, statements and logs; of
//! a metric at most 200 keys are followed, which bounds both.

use super::{Figure, figure, process};
use anyhow::ensure;
use insight::live::Intervals;
use insight::{Lifecycle, TickJudges};
use std::time::{Duration, Instant};
use testkit::month::{Month, Plan, Size};

/// How many times the usual host.
const SCALES: [usize; 3] = [1, 2, 10];
const TICKS: usize = 180;
const TICK_SECS: u32 = 60;
const CYCLE_SECS: i64 = 300;
const COPIES: u32 = 4;
/// Most milliseconds of a cycle, and most MiB that judging adds to the collector.
const TARGETS: (f64, f64) = (150.0, 6.0);

/// Returns the figures of each size of host.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    ensure!(
        !cfg!(debug_assertions),
        "judging is measured in a release build: cargo xtask makes one"
    );
    let mut figures = Vec::new();
    for scale in SCALES {
        measure(scale, &mut figures)?;
    }
    Ok(figures)
}

fn measure(scale: usize, out: &mut Vec<Figure>) -> anyhow::Result<()> {
    let usual = Size::USUAL;
    let size = Size {
        processes: usual.processes * scale,
        tables: usual.tables * scale,
        statements: usual.statements * scale,
        logs: usual.logs * scale,
    };
    let plan = Plan {
        interval_secs: TICK_SECS,
        ..Plan::healthy(3, 1, size)
    };
    let interval = i64::from(TICK_SECS) * 1_000_000;
    let intervals = Intervals {
        host: interval,
        services: interval,
    };
    // The memory of rows is there before that of judges.
    let warm: usize = Month::new(&plan).take(6).map(|tick| tick.rows.len()).sum();
    ensure!(warm > 0, "a generated host has no rows");
    let before = process::memory(std::process::id())?.rss;
    let mut copies = Vec::new();
    for _ in 0..COPIES {
        let judges = TickJudges::new(intervals)?;
        copies.push((judges, Lifecycle::new(insight::rules())));
    }
    let (mut cycles, mut others) = (Vec::new(), Vec::new());
    for (nth, tick) in Month::new(&plan).take(TICKS).enumerate() {
        let begun = Instant::now();
        for (judges, findings) in &mut copies {
            drop(judges.judge(&[&tick.rows], findings, tick.ts));
        }
        let took = begun.elapsed() / COPIES;
        let secs = tick.ts.as_micros() / 1_000_000;
        // Keys are admitted within the first hour and a half.
        match (nth > TICKS / 2, secs % CYCLE_SECS) {
            (true, 0) => cycles.push(took),
            (true, _) => others.push(took),
            _ => {}
        }
    }
    let grown = process::memory(std::process::id())?.rss - before;
    let (judges, _) = &mut copies[0];
    let (followed, _) = judges.normal().followed();
    let saved = judges.normal().save().len();
    let mut add = |what: &str, value, unit, target| {
        let name = format!("a cycle, {what}; {scale} times the usual host");
        out.push(figure(name, value, unit, target));
    };
    let cycle = median_ms(&mut cycles) - median_ms(&mut others);
    let is_usual = scale == 1;
    add("series", followed as f64, "series", None);
    add("CPU", cycle, "ms", Some(TARGETS.0));
    add(
        "memory of all judges",
        grown / f64::from(COPIES),
        "MiB",
        is_usual.then_some(TARGETS.1),
    );
    add("state", saved as f64 / 1_048_576.0, "MiB", None);
    Ok(())
}

fn median_ms(durations: &mut [Duration]) -> f64 {
    durations.sort_unstable();
    let median = durations.get(durations.len() / 2);
    median.map_or(0.0, |median| median.as_secs_f64() * 1000.0)
}
