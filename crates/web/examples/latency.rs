//! Measures response times: `cargo run --release -p pqcrypta-web --example latency -- URL [ROUNDS]`.
//!
//! Uses the router over a database with samples (`URL` as
//! `postgresql:///name?host=/socket&user=name`): `now`, and twelve charts at once for one hour and
//! for one day, tables, snapshots and comparisons, each round not cached by the server. Prints one line per question with the
//! median, the 95th percentile and the bytes of an answer.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use pg::Target;
use tower::ServiceExt as _;
use web::{App, Clock, Settings};

const CHARTS: [&str; 12] = [
    "system.cpu_user_pct,system.cpu_system_pct,system.cpu_iowait_pct",
    "system.core_busy_pct",
    "system.mem_used_bytes,system.mem_cached_bytes,system.mem_available_bytes",
    "system.load_1,system.load_5,system.load_15",
    "network.rx_bytes_per_sec",
    "network.tx_bytes_per_sec",
    "mount.used_pct",
    "disk.read_bytes_per_sec,disk.write_bytes_per_sec",
    "disk.busy_pct,disk.queue_depth",
    "system.pressure_cpu_some_pct,system.pressure_memory_some_pct,system.pressure_io_some_pct",
    "system.ctxt_per_sec,system.forks_per_sec",
    "collector.tick_ms,collector.tick_late_ms,collector.rows_per_sec",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().context("give the URL of a database")?;
    let rounds: u32 = args.next().map_or(Ok(40), |rounds| rounds.parse())?;
    let app = || -> anyhow::Result<Router> {
        let settings = Settings {
            clock: Clock::System,
            share_for: Duration::ZERO,
            ..Settings::default()
        };
        Ok(web::router(App::new(settings, Target::parse(&url)?)))
    };
    let router = app()?;
    let mut took = Vec::new();
    let mut bytes = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        bytes = ask(&router, "now").await?;
        took.push(start.elapsed());
    }
    report("now, tick known", &mut took, bytes);
    for _ in 0..rounds {
        let fresh = app()?;
        // The session is connected beforehand; the values are read again.
        ask(&fresh, "meta").await?;
        let start = Instant::now();
        bytes = ask(&fresh, "now").await?;
        took.push(start.elapsed());
    }
    report("now, new tick", &mut took, bytes);
    charts(&router, rounds).await?;
    series_by_key(&router, rounds.min(5)).await?;
    tables(&router, rounds).await?;
    snapshots(&router, rounds).await
}

/// Measures snapshots of different instants, and comparisons of an hour.
async fn snapshots(router: &Router, rounds: u32) -> anyhow::Result<()> {
    let (mut took, mut bytes) = (Vec::new(), 0);
    for (name, minutes) in [("±10 min", 10), ("±30 min", 30)] {
        for round in 1..=rounds {
            // One instant is read once, so others are asked for.
            let back = 60 * 23 * round / rounds;
            let path = format!("snapshot?at=now-{back}m&before={minutes}&after={minutes}");
            let start = Instant::now();
            bytes = ask(router, &path).await?;
            took.push(start.elapsed());
        }
        report(&format!("snapshot, {name}"), &mut took, bytes);
    }
    for round in 1..=rounds {
        let back = 60 + 2 * round;
        let path = format!(
            "compare?from=now-{back}m&to=now-{}m&before_from=now-{}m&before_to=now-{back}m",
            back - 60,
            back + 60
        );
        let start = Instant::now();
        bytes = ask(router, &path).await?;
        took.push(start.elapsed());
    }
    report("comparison of an hour", &mut took, bytes);
    Ok(())
}

/// Measures twelve charts at once over several ranges.
async fn charts(router: &Router, rounds: u32) -> anyhow::Result<()> {
    let (mut took, mut bytes) = (Vec::new(), 0);
    for range in ["now-1h", "now-6h", "now-24h"] {
        for round in 0..rounds {
            // A different number of buckets is not cached.
            let px = 600 + round % 300;
            let start = Instant::now();
            let asked = CHARTS.iter().map(|chart| {
                let path = format!("series?m={chart}&from={range}&px={px}&x={round}");
                let router = router.clone();
                async move { ask(&router, &path).await }
            });
            bytes = futures_util::future::try_join_all(asked)
                .await?
                .iter()
                .sum();
            took.push(start.elapsed());
        }
        report(&format!("12 charts, {range}"), &mut took, bytes);
    }
    Ok(())
}

/// Measures series of the processes with the highest values.
async fn series_by_key(router: &Router, rounds: u32) -> anyhow::Result<()> {
    let (mut took, mut bytes) = (Vec::new(), 0);
    for (name, chart) in [
        ("cpu by name", "process.cpu_pct"),
        ("read by name", "process.read_bytes_per_sec"),
    ] {
        for range in ["now-1h", "now-24h"] {
            for round in 0..rounds {
                let path = format!("series?m={chart}&from={range}&x={round}");
                let start = Instant::now();
                bytes = ask(router, &path).await?;
                took.push(start.elapsed());
            }
            report(&format!("{name}, {range}"), &mut took, bytes);
        }
    }
    Ok(())
}

/// Measures pages of tables.
async fn tables(router: &Router, rounds: u32) -> anyhow::Result<()> {
    let (mut took, mut bytes) = (Vec::new(), 0);
    for table in [
        "processes",
        "tables",
        "vacuum_needed",
        "indexes",
        "statements",
    ] {
        for round in 0..rounds {
            let start = Instant::now();
            bytes = ask(router, &format!("table/{table}?limit=100&x={round}")).await?;
            took.push(start.elapsed());
        }
        report(&format!("table {table}"), &mut took, bytes);
    }
    Ok(())
}

async fn ask(router: &Router, path: &str) -> anyhow::Result<usize> {
    let request = Request::get(format!("/monitor/api/v1/{path}"))
        .header(header::HOST, "localhost")
        .body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    anyhow::ensure!(
        status.is_success(),
        "{path}: {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(body.len())
}

fn report(name: &str, took: &mut Vec<Duration>, bytes: usize) {
    took.sort_unstable();
    let at =
        |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "{name}: p50 {:.1} ms, p95 {:.1} ms, {bytes} bytes",
        at(50),
        at(95)
    );
    took.clear();
}
