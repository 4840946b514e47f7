//! Workspace tasks: benchmarks, scoring and packages, as `cargo xtask bench footprint`.

mod bench;
mod package;
mod score;

use clap::{Parser, Subcommand};

/// Workspace tasks: benchmarks, scoring and packages.
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
        Task::Score { score } => score.run(),
        Task::Package(options) => package::run(&options),
    }
}
