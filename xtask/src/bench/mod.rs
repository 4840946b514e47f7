//! Benchmarks. Each prints a table for people and then the same figures as JSON lines, one object
//! a figure: `{"bench": …, "figure": …, "value": …, "unit": …, "target": …}`.

mod footprint;
mod postgres;
mod process;

use clap::Subcommand;
use serde::Serialize;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// What the collector costs its host: CPU, memory, disk, punctuality.
    Footprint(footprint::Options),
    /// What watching a PostgreSQL server costs the host and the server.
    Postgres(postgres::Options),
}

impl Bench {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Footprint(options) => report(&footprint::run(&options).await?),
            Self::Postgres(options) => report(&postgres::run(&options).await?),
        }
    }
}

/// One measured figure.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    bench: &'static str,
    figure: String,
    value: f64,
    unit: &'static str,
    /// What is aimed at; the figure should not be above it.
    target: Option<f64>,
}

fn report(figures: &[Figure]) -> anyhow::Result<()> {
    println!(
        "{:<80} {:>12} {:<14} {:>8}",
        "figure", "value", "unit", "target"
    );
    for figure in figures {
        let target = figure
            .target
            .map_or_else(String::new, |target| target.to_string());
        let missed = figure.target.is_some_and(|target| figure.value > target);
        let mark = if missed { "  above its target" } else { "" };
        println!(
            "{:<80} {:>12.2} {:<14} {:>8}{mark}",
            figure.figure, figure.value, figure.unit, target
        );
    }
    for figure in figures {
        println!("{}", serde_json::to_string(figure)?);
    }
    Ok(())
}
