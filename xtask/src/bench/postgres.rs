//! Cost of watching a PostgreSQL server, on the host and on the server.
//!
//! The collector's own code, in this process, against a real server: CPU and duration of a fast and
//! of a slow tick, CPU of the server's processes, the server's own statistics about our
//! statements, and the rows stored. In three sizes: tables with their indexes, and statements.

use super::{Figure, figure, process};
use anyhow::{Context, ensure};
use clap::Args;
use collect::Moment;
use collect::postgres::{Databases, Instance, Postgres};
use schema::{Row, Timestamp};
use std::fs;
use std::time::Duration;
use testkit::Server;
use tokio::time::{Instant, sleep};

/// Extent of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Fast ticks measured in each size
    #[arg(long, default_value_t = 60)]
    fast: u32,
    /// Slow ticks measured in each size; twelve are an hour, in which everything is asked once
    #[arg(long, default_value_t = 12)]
    slow: u32,
}

/// One size, with its targets.
struct Size {
    name: &'static str,
    tables: u32,
    indexes: u32,
    statements: u32,
    /// Milliseconds of a slow tick: of ours, of the server's.
    slow: Option<(f64, f64)>,
}

const SIZES: [Size; 3] = [
    Size {
        name: "50 tables, 50 statements",
        tables: 50,
        indexes: 2,
        statements: 50,
        slow: Some((1.0, 4.0)),
    },
    Size {
        name: "200 tables, 1,000 statements",
        tables: 200,
        indexes: 3,
        statements: 1_000,
        slow: None,
    },
    Size {
        name: "5,000 tables, 5,000 statements",
        tables: 5_000,
        indexes: 3,
        statements: 5_000,
        slow: Some((150.0, 250.0)),
    },
];

/// Databases besides the first.
const FURTHER: u32 = 4;
/// Default intervals of ticks.
const FAST_PACE: Duration = Duration::from_secs(10);
const SLOW_PACE: Duration = Duration::from_secs(300);
/// Fast and slow ticks an hour.
const PER_HOUR: (f64, f64) = (360.0, 12.0);
/// Most growth of RSS, MiB.
const GROWTH: f64 = 8.0;

pub(crate) async fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    ensure!(options.fast > 0 && options.slow > 0, "nothing to measure");
    let server = Server::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.max", "10000")
        .setting("max_locks_per_transaction", "512")
        .start()?;
    server.sql("CREATE EXTENSION pg_stat_statements").await?;
    let mut bench = Bench::new(&server);
    let (mut tables, mut figures) = (0, Vec::new());
    let before = process::memory(std::process::id())?.rss;
    for size in &SIZES {
        grow(&server, tables, size).await?;
        tables = size.tables;
        let slow = bench.size(&server, size, options, &mut figures).await?;
        if tables == SIZES[0].tables {
            bench.watched.close().await;
            bench = further(&server, &slow, options, &mut figures).await?;
        }
    }
    figures.push(figure(
        "resident memory, growth over all sizes",
        process::memory(std::process::id())?.rss - before,
        "MiB",
        Some(GROWTH),
    ));
    bench.watched.close().await;
    Ok(figures)
}

/// Makes the tables that are missing, a few rows in each, and up-to-date statistics.
async fn grow(server: &Server, from: u32, size: &Size) -> anyhow::Result<()> {
    // In steps, as each transaction holds a lock on every table it makes.
    for first in (from + 1..=size.tables).step_by(500) {
        let last = (first + 499).min(size.tables);
        let indexes: String = (1..size.indexes)
            .map(|at| format!("EXECUTE format('CREATE INDEX ON t%s (c{at})', i);"))
            .collect();
        server
            .sql(&format!(
                "DO $$ BEGIN FOR i IN {first}..{last} LOOP \
                   EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, c1 int, c2 int)', i); {indexes} \
                   EXECUTE format('INSERT INTO t%s SELECT g, g, g FROM generate_series(1, 20) g', i); \
                 END LOOP; END $$"
            ))
            .await?;
    }
    server.sql("ANALYZE").await?;
    Ok(())
}

/// Measures what each further database adds to a slow tick that costs this without them. Returns the bench to go
/// on with.
async fn further(
    server: &Server,
    without: &Cost,
    options: &Options,
    out: &mut Vec<Figure>,
) -> anyhow::Result<Bench> {
    let names: Vec<String> = (1..=FURTHER).map(|at| format!("further{at}")).collect();
    for name in &names {
        let sql = format!("CREATE DATABASE {name} TEMPLATE postgres");
        server.sql(&sql).await?;
    }
    let mut bench = Bench::new(server);
    for _ in 0..2 {
        bench.tick(false).await;
        bench.tick(true).await;
    }
    let with = bench.cost(server, options.slow, Some(SIZES[0].statements));
    let with = with.await?;
    for (what, with, without) in [
        ("our CPU", with.own_ms, without.own_ms),
        ("CPU of the server", with.server_ms, without.server_ms),
        ("duration", with.wall_ms, without.wall_ms),
    ] {
        let name = format!(
            "slow tick, {what} for each further database; {}",
            SIZES[0].name
        );
        out.push(figure(
            name,
            (with - without) / f64::from(FURTHER),
            "ms",
            None,
        ));
    }
    for name in &names {
        server.sql(&format!("DROP DATABASE {name}")).await?;
    }
    Ok(bench)
}

/// Runs statements that the server distinguishes by their column names.
async fn work(server: &Server, statements: u32) -> anyhow::Result<()> {
    for first in (1..=statements).step_by(250) {
        let last = (first + 249).min(statements);
        let batch: String = (first..=last)
            .map(|at| format!("SELECT 1 AS c{at};"))
            .collect();
        server.sql(&batch).await?;
    }
    Ok(())
}

/// Mean cost of a number of ticks.
#[derive(Default)]
struct Cost {
    own_ms: f64,
    server_ms: f64,
    wall_ms: f64,
    rows: f64,
    bytes: f64,
}

struct Bench {
    watched: Postgres,
    /// The monotonic clock of the watcher: ticks come one after the other here, and at
    /// their own intervals there, which decide what is due.
    clock: Duration,
}

impl Bench {
    fn new(server: &Server) -> Self {
        Self {
            watched: Postgres::new(Instance {
                name: "bench".to_owned(),
                target: server.target(),
                databases: Databases::All,
                include_own: false,
                timeout: Duration::from_secs(30),
            }),
            clock: Duration::ZERO,
        }
    }

    async fn size(
        &mut self,
        server: &Server,
        size: &Size,
        options: &Options,
        out: &mut Vec<Figure>,
    ) -> anyhow::Result<Cost> {
        for _ in 0..2 {
            work(server, size.statements).await?;
            self.tick(false).await;
            self.tick(true).await;
        }
        let fast = self.cost(server, options.fast, None).await?;
        let in_statements = self.in_statements(server, options.fast).await?;
        let slow = self
            .cost(server, options.slow, Some(size.statements))
            .await?;
        let mut add = |what: &str, value, unit, target| {
            out.push(figure(
                format!("{what}; {}", size.name),
                value,
                unit,
                target,
            ));
        };
        add("fast tick, our CPU", fast.own_ms, "ms", Some(1.0));
        add(
            "fast tick, CPU of the server",
            fast.server_ms,
            "ms",
            Some(2.0),
        );
        add(
            "fast tick, its statements by its own account",
            in_statements,
            "ms",
            None,
        );
        add("fast tick, duration", fast.wall_ms, "ms", None);
        let (own, theirs) = size.slow.unzip();
        add("slow tick, our CPU", slow.own_ms, "ms", own);
        add("slow tick, CPU of the server", slow.server_ms, "ms", theirs);
        add("slow tick, duration", slow.wall_ms, "ms", None);
        let per_hour = |fast: f64, slow: f64| fast * PER_HOUR.0 + slow * PER_HOUR.1;
        add("rows an hour", per_hour(fast.rows, slow.rows), "rows", None);
        let bytes = per_hour(fast.bytes, slow.bytes) / 1024.0 / 1024.0;
        add("encoded an hour", bytes, "MiB", None);
        Ok(slow)
    }

    async fn tick(&mut self, slow: bool) -> Vec<Row> {
        self.clock += if slow { SLOW_PACE } else { FAST_PACE };
        let at = Moment {
            ts: Timestamp::default(),
            monotonic: self.clock,
        };
        let mut rows = Vec::new();
        if slow {
            self.watched.slow(&at, &mut rows).await;
        } else {
            self.watched.fast(&at, &mut rows).await;
        }
        rows
    }

    /// Returns the mean of `ticks` ticks; slow ones, when statements are given, each after these ran.
    async fn cost(
        &mut self,
        server: &Server,
        ticks: u32,
        statements: Option<u32>,
    ) -> anyhow::Result<Cost> {
        let mut cost = Cost::default();
        for _ in 0..ticks {
            if let Some(statements) = statements {
                work(server, statements).await?;
            }
            // Sessions of `work` end on their own; their end is not part of the cost.
            sleep(Duration::from_millis(100)).await;
            let (own, theirs) = (process::cpu_ms(std::process::id())?, server_ms(server)?);
            let begun = Instant::now();
            let rows = self.tick(statements.is_some()).await;
            cost.wall_ms += begun.elapsed().as_secs_f64() * 1000.0;
            cost.own_ms += process::cpu_ms(std::process::id())? - own;
            // A session of a slow tick is reaped a moment after it ended.
            sleep(Duration::from_millis(100)).await;
            cost.server_ms += server_ms(server)? - theirs;
            cost.rows += rows.len() as f64;
            let encoded = store::tuple::encode(&rows);
            cost.bytes += encoded
                .iter()
                .map(|(bytes, _)| bytes.len() as f64)
                .sum::<f64>();
        }
        let ticks = f64::from(ticks);
        for value in [
            &mut cost.own_ms,
            &mut cost.server_ms,
            &mut cost.wall_ms,
            &mut cost.rows,
            &mut cost.bytes,
        ] {
            *value /= ticks;
        }
        Ok(cost)
    }

    /// Returns the time in our statements as the server counts it, for a fast tick.
    async fn in_statements(&mut self, server: &Server, ticks: u32) -> anyhow::Result<f64> {
        server.sql("SELECT pg_stat_statements_reset()").await?;
        for _ in 0..ticks {
            self.tick(false).await;
        }
        let rows = server
            .sql("SELECT sum(total_exec_time) FROM pg_stat_statements WHERE query !~ 'pg_stat_statements_reset'")
            .await?;
        let cell = rows.first().and_then(|row| row.first()).cloned().flatten();
        let sum: f64 = cell.context("no statistics")?.parse()?;
        Ok(sum / f64::from(ticks))
    }
}

/// Returns the CPU of the server's processes, those that ended included, milliseconds. Live ones by their
/// schedstat; ended ones by `cutime` and `cstime` of the postmaster, in steps of a clock tick.
fn server_ms(server: &Server) -> anyhow::Result<f64> {
    let pid_file = fs::read_to_string(server.data_dir().join("postmaster.pid"))?;
    let postmaster: u32 = pid_file.lines().next().context("no postmaster")?.parse()?;
    let children = format!("/proc/{postmaster}/task/{postmaster}/children");
    let mut sum = process::cpu_ms(postmaster)?;
    for child in fs::read_to_string(children)?.split_whitespace() {
        // It may have ended meanwhile; then the postmaster's account has it.
        sum += process::cpu_ms(child.parse()?).unwrap_or(0.0);
    }
    Ok(sum + process::ended_children_ms(postmaster)?)
}
