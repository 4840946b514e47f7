//! Prints what a fast and a slow tick cost against a server of its own, here and on the server:
//!
//! `cargo run -p pqcrypta-collect --example postgres_cost -- TABLES STATEMENTS`
//!
//! Each table gets three indexes; each statement is a different one. The server's side is what its own
//! pg_stat_statements counts of the collector's role, planning and execution.

use std::time::Duration;

use collect::Moment;
use collect::postgres::{Databases, Instance, Postgres};
use testkit::Server;

type Failure = Box<dyn std::error::Error>;

/// Ticks that the mean is taken over.
const FAST: u32 = 50;
/// Slow ticks that the mean is taken over.
const SLOW: u32 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse());
    let tables: u32 = numbers.next().transpose()?.unwrap_or(200);
    let statements: u32 = numbers.next().transpose()?.unwrap_or(1000);
    let server = Server::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.max", "10000")
        .setting("pg_stat_statements.track_planning", "on")
        .setting("max_locks_per_transaction", "2000")
        .start()?;
    server.sql("CREATE EXTENSION pg_stat_statements").await?;
    server
        .sql("CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats")
        .await?;
    fill(&server, tables, statements).await?;

    let mut target = server.target();
    target.user = "watcher".to_owned();
    let mut watcher = Postgres::new(Instance {
        name: "cost".to_owned(),
        target,
        include_own: false,
        databases: Databases::All,
        timeout: Duration::from_secs(10),
    });
    let (mut at, mut rows) = (Moment::default(), Vec::new());
    watcher.fast(&at, &mut rows).await;
    watcher.slow(&at, &mut rows).await;
    for (kind, times) in [("fast", FAST), ("slow", SLOW)] {
        measure(&server, &mut watcher, &mut at, kind, times).await?;
    }
    for gap in watcher.visibility_gaps() {
        println!("{} {}: {}", gap.state, gap.family, gap.message);
    }
    watcher.close().await;
    Ok(())
}

/// Prints what ticks of this kind cost, and the statements that cost the server most.
async fn measure(
    server: &Server,
    watcher: &mut Postgres,
    at: &mut Moment,
    kind: &str,
    times: u32,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    server.sql("SELECT pg_stat_statements_reset((SELECT oid FROM pg_roles WHERE rolname = 'watcher'), 0, 0)").await?;
    let (before, began) = (cpu(), std::time::Instant::now());
    for _ in 0..times {
        at.monotonic += Duration::from_secs(300);
        rows.clear();
        match kind {
            "fast" => watcher.fast(at, &mut rows).await,
            _ => watcher.slow(at, &mut rows).await,
        }
    }
    let ours = (cpu() - before).as_secs_f64() * 1000.0 / f64::from(times);
    let took = began.elapsed().as_secs_f64() * 1000.0 / f64::from(times);
    let theirs = server
        .sql(
            "SELECT round((sum(total_exec_time + total_plan_time))::numeric, 2) FROM pg_stat_statements
             JOIN pg_roles r ON r.oid = userid WHERE rolname = 'watcher'",
        )
        .await?;
    let theirs: f64 = theirs
        .first()
        .and_then(|row| row.first()?.as_deref())
        .unwrap_or("0")
        .parse()?;
    println!(
        "{kind}: {took:.2} ms, client {ours:.2} ms CPU, server {:.2} ms, {} rows",
        theirs / f64::from(times),
        rows.len()
    );
    print_dearest(server).await
}

async fn print_dearest(server: &Server) -> Result<(), Failure> {
    let dear = server
        .sql(
            "SELECT round(((total_exec_time + total_plan_time) / greatest(calls, 1))::numeric, 2),
                    left(substr(query, position('-- ' in query)), 70)
             FROM pg_stat_statements JOIN pg_roles r ON r.oid = userid
             WHERE rolname = 'watcher' ORDER BY total_exec_time + total_plan_time DESC LIMIT 8",
        )
        .await?;
    for row in dear {
        let shown: Vec<&str> = row
            .iter()
            .map(|cell| cell.as_deref().unwrap_or(""))
            .collect();
        println!("    {}", shown.join(" ms  ").replace('\n', " "));
    }
    Ok(())
}

async fn fill(server: &Server, tables: u32, statements: u32) -> Result<(), Failure> {
    for first in (0..tables).step_by(200) {
        let last = (first + 200).min(tables) - 1;
        server
            .sql(&format!(
                "DO $$ BEGIN FOR n IN {first}..{last} LOOP
                   EXECUTE format('CREATE TABLE t%s (a int PRIMARY KEY, b int, c text)', n);
                   EXECUTE format('CREATE INDEX ON t%s (b)', n);
                   EXECUTE format('CREATE INDEX ON t%s (c)', n);
                   EXECUTE format('INSERT INTO t%s SELECT n, n, n FROM generate_series(1, 20) n', n);
                 END LOOP; END $$"
            ))
            .await?;
    }
    server.sql("ANALYZE").await?;
    // A list of columns is a statement of its own for each length, and for each table.
    let question = |n: u32| {
        let columns = vec!["a"; 1 + (n as usize / 50)].join(",");
        format!("SELECT {columns} FROM t{} LIMIT 0", n % 50 % tables)
    };
    for first in (0..statements).step_by(100) {
        let questions: Vec<String> = (first..first + 100).map(question).collect();
        server.sql(&questions.join(";")).await?;
    }
    Ok(())
}

fn cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(spent.tv_sec).unwrap_or_default(),
        u32::try_from(spent.tv_nsec).unwrap_or_default(),
    )
}
