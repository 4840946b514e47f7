//! Cost of web analytics: receiving, storing, asking; beside a baseline.
//!
//! The real release binary of the receiver with a server that syncs: events acknowledged a second while many visitors
//! report as fast as they can, each 202 after its report is on disk; how long an answer takes at a steady rate, from the
//! instant at which the request was due; memory when idle and with so many visitors who are there. Then a site with so many views in
//! thirty days and today, generated in SQL: bytes a view as they are received and when their days are packed, and every question, as the
//! dashboard asks it. Everything is on this machine: what makes the requests takes a part of its processors.
//!
//! The baseline is a table of ours with one row per view and its texts (`plain.sql`), asked in plain SQL. Umami, the obvious peer, does not
//! run here: the package of that name is its source, whose build needs the query engine of Prisma 5.7, a program that `@prisma/engines` fetches
//! from a server of its own when it is installed; no registry has it.

mod load;
mod plain;
mod questions;
mod receiver;
mod site;

use super::Figure;
use anyhow::ensure;
use clap::Args;
use std::time::Duration;

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Views of the site that is asked about
    #[arg(long, default_value_t = 10_000_000)]
    views: u64,
    /// Days before today that have views
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Seconds for which each rate of requests is kept up
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Requests a second at which answers are timed
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Visitors who are there when memory is measured
    #[arg(long, default_value_t = 200_000)]
    visitors: u32,
    /// Measure one part alone
    #[arg(long, value_enum)]
    only: Option<Part>,
}

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Receiving,
    Asking,
}

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long closing a session in order may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    ensure!(
        options.views > 0 && options.days > 0 && options.seconds > 0 && options.rate > 0,
        "nothing to measure"
    );
    let mut out = Figures(Vec::new());
    if options.only != Some(Part::Asking) {
        receiver::measure(options, &mut out).await?;
    }
    if options.only != Some(Part::Receiving) {
        let site = site::Generated::start(options, &mut out).await?;
        questions::measure(&site, &mut out).await?;
        plain::measure(&site, options, &mut out).await?;
    }
    Ok(out.0)
}

/// Figures, told as they are measured: the whole takes minutes.
struct Figures(Vec<Figure>);

impl Figures {
    fn add(&mut self, figure: Figure) {
        eprintln!("{}: {:.1} {}", figure.figure, figure.value, figure.unit);
        self.0.push(figure);
    }
}
