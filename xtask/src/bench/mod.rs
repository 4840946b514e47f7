//! Benchmarks. Each prints a table for people and then the same figures as JSON lines, one object
//! a figure: `{"bench": …, "figure": …, "value": …, "unit": …, "target": …}`, with `"at_least": true` where more is better.

mod analytics;
mod collector;
mod footprint;
mod history;
mod intelligence;
mod judging;
mod logs;
mod monitor;
mod postgres;
mod process;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use testkit::Server;

/// A benchmark.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Cost of web analytics: receiving, storing and asking, beside a baseline.
    Analytics(analytics::Options),
    /// Cost of the collector on its host: CPU, memory, disk, lateness of ticks.
    Footprint(footprint::Options),
    /// Cost of hours and days: storing, rolling up, reading, dropping.
    History(history::Options),
    /// Cost of knowing what is normal, without a collector or a server.
    Intelligence,
    /// Cost of judging a tick, without a collector or a server.
    Judging,
    /// Cost and throughput of reading logs.
    Logs(logs::Options),
    /// Cost of watching a PostgreSQL server, on the host and on the server.
    Postgres(postgres::Options),
}

impl Bench {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Analytics(options) => report("analytics", &analytics::run(&options).await?),
            Self::Footprint(options) => report("footprint", &footprint::run(&options).await?),
            Self::History(options) => report("history", &history::run(&options).await?),
            Self::Intelligence => report("intelligence", &intelligence::run()?),
            Self::Judging => report("judging", &judging::run()?),
            Self::Logs(options) => report("logs", &logs::run(&options).await?),
            Self::Postgres(options) => report("postgres", &postgres::run(&options).await?),
        }
    }
}

/// One measured figure.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    figure: String,
    value: f64,
    unit: &'static str,
    /// Target: the figure should not be above it.
    target: Option<f64>,
    /// Whether the figure should not be below its target instead.
    #[serde(skip_serializing_if = "is_false")]
    at_least: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A figure as one line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    bench: &'static str,
    #[serde(flatten)]
    figure: &'a Figure,
}

fn figure(
    figure: impl Into<String>,
    value: f64,
    unit: &'static str,
    target: Option<f64>,
) -> Figure {
    Figure {
        figure: figure.into(),
        value,
        unit,
        target,
        at_least: false,
    }
}

/// Returns a figure that should not be below its target.
fn at_least(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Figure {
    Figure {
        at_least: true,
        ..figure(name, value, unit, Some(target))
    }
}

/// Returns the one number that a statement returns; 0 for none.
async fn number(server: &Server, sql: &str) -> anyhow::Result<f64> {
    let rows = server.sql(sql).await?;
    let cell = rows
        .first()
        .and_then(|row| row.first())
        .and_then(Option::as_deref);
    cell.unwrap_or("0")
        .parse()
        .with_context(|| format!("no number: {sql}"))
}

/// Prints the figures as a table and as JSON lines.
fn report(bench: &'static str, figures: &[Figure]) -> anyhow::Result<()> {
    println!(
        "{:<80} {:>12} {:<14} {:>8}",
        "figure", "value", "unit", "target"
    );
    for figure in figures {
        let target = figure
            .target
            .map_or_else(String::new, |target| target.to_string());
        let is_above = figure.target.is_some_and(|target| figure.value > target);
        let is_below = figure.target.is_some_and(|target| figure.value < target);
        let mark = match figure.at_least {
            false if is_above => "  above its target",
            true if is_below => "  below its target",
            _ => "",
        };
        println!(
            "{:<80} {:>12.2} {:<14} {:>8}{mark}",
            figure.figure, figure.value, figure.unit, target
        );
    }
    for figure in figures {
        println!("{}", serde_json::to_string(&Line { bench, figure })?);
    }
    Ok(())
}
