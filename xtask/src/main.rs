//! Tasks of this workspace that are no tests: `cargo xtask bench footprint`.

mod bench;
mod score;

use clap::{Parser, Subcommand};

/// Tasks of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measures and prints a table, and the same as JSON lines.
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Runs our own judgement over data whose truth is known.
    Score {
        #[command(subcommand)]
        score: score::Score,
    },
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match Args::parse().task {
        Task::Bench { bench } => runtime.block_on(bench.run()),
        Task::Score { score } => score.run(),
    }
}
