//! Workspace tasks: benchmarks, scoring, a generated host and packages, as `cargo xtask bench footprint`.

mod bench;
mod delivery;
mod month;
mod package;
mod score;
mod usual;

use clap::{Parser, Subcommand};

/// Workspace tasks: benchmarks, scoring, a generated host and packages.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs a benchmark; prints a table and the same figures as JSON lines.
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Stores a generated host with an incident in a database, judged as a collector judges.
    Month(month::Options),
    /// Runs the product's own code over labelled data.
    Score {
        #[command(subcommand)]
        score: score::Score,
    },
    /// Makes the Debian packages, the rpm packages and the archive that installs itself.
    Package(package::Options),
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match Args::parse().task {
        Task::Bench { bench } => runtime.block_on(bench.run()),
        Task::Month(options) => runtime.block_on(month::run(&options)),
        Task::Score { score } => score.run(),
        Task::Package(options) => package::run(&options),
    }
}
