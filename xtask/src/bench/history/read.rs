//! How long charts and tables take over HTTP, and what dropping a day costs.

use super::store::Stored;
use super::{CLOSE_WITHIN, mib};
use crate::bench::monitor::Monitor;
use crate::bench::{number, process};
use crate::delivery::now;
use anyhow::{Context, ensure};
use schema::micros::{DAY, HOUR};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::Stop;

/// How long an answer is waited for, and the time between two requests while it is not whole.
const MOST: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(20);
/// Tables of the dashboard whose rows are sealed.
const TABLES: [&str; 5] = ["processes", "tables", "indexes", "statements", "endpoints"];

/// Tables whose rows are sums of a range.
const SUMS: [&str; 3] = ["statements", "endpoints", "io"];

/// How long answers take, milliseconds.
pub(super) struct Answers {
    pub(super) median: f64,
    pub(super) p95: f64,
    pub(super) most: f64,
    /// The one that took longest.
    pub(super) slowest: String,
}

impl Answers {
    fn of(mut took: Vec<(f64, String)>) -> anyhow::Result<Self> {
        took.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let nth = |share: usize| took.get((took.len() * share / 100).min(took.len() - 1));
        let (most, slowest) = took.last().cloned().context("nothing was asked for")?;
        Ok(Self {
            median: nth(50).map_or(0.0, |(ms, _)| *ms),
            p95: nth(95).map_or(0.0, |(ms, _)| *ms),
            most,
            slowest,
        })
    }
}

/// What dropping a day costs.
pub(super) struct Dropping {
    /// CPU of the server, milliseconds.
    pub(super) cpu_ms: f64,
    /// Time that it took, milliseconds.
    pub(super) ms: f64,
    /// MiB of the log.
    pub(super) log: f64,
}

impl Stored {
    /// Restarts both servers, so that nothing is cached but files.
    fn restart(&self, monitor: &Path) -> anyhow::Result<Monitor> {
        self.server.stop(Stop::Fast)?;
        self.server.start()?;
        let monitor = Monitor::start(monitor, &self.server, self.dir.path(), None)?;
        // It has connected and knows its hosts.
        monitor.get("meta")?;
        Ok(monitor)
    }

    /// Asks for one chart of each metric over a range.
    pub(super) async fn charts(&self, monitor: &Path, range: &str) -> anyhow::Result<Answers> {
        // Weighted latencies are no metrics of the catalogue.
        let metrics = "SELECT DISTINCT metric FROM collector.metrics_hourly \
            WHERE bucket >= now() - interval '3 hours' AND metric NOT LIKE '%_by_requests' ORDER BY 1";
        let metrics = self.server.sql(metrics).await?;
        let monitor = self.restart(monitor)?;
        let mut took = Vec::new();
        for metric in metrics.into_iter().flatten().flatten() {
            let path = format!("series?m={metric}&from=now-{range}");
            let begun = Instant::now();
            // What is not read within an answer's time follows in a moment; what is never whole counts as long as it was waited for.
            let is_whole = |body: Option<String>| {
                let Some(body) = body else { return Ok(false) };
                ensure!(body.contains("\"avg\":["), "no series: {path}");
                Ok(body.contains("\"errors\":[]"))
            };
            while !is_whole(monitor.get_in_time(&path)?)? && begun.elapsed() < MOST {
                sleep(AGAIN);
            }
            took.push((begun.elapsed().as_secs_f64() * 1000.0, metric));
        }
        Answers::of(took)
    }

    /// Asks for the tables whose rows are sealed, at an instant of the last day that is over, and over the hour before.
    pub(super) fn tables(&self, monitor: &Path) -> anyhow::Result<Answers> {
        let monitor = self.restart(monitor)?;
        let begin = self.begin.max(self.last_day);
        let at = (begin + (self.last_day + DAY - begin) / 2) / 1000;
        let from = at - HOUR / 1000;
        let mut took = Vec::new();
        for table in TABLES {
            let path = format!("table/{table}?at={at}&from={from}&to={at}");
            let begun = Instant::now();
            let body = monitor.get(&path)?;
            took.push((begun.elapsed().as_secs_f64() * 1000.0, table.to_owned()));
            ensure!(!body.contains("\"rows\":[]"), "no rows: {path}");
        }
        Answers::of(took)
    }

    /// Asks for the tables of a range.
    pub(super) fn sums(&self, monitor: &Path, range: &str) -> anyhow::Result<Answers> {
        let monitor = self.restart(monitor)?;
        let mut took = Vec::new();
        for table in SUMS {
            let path = format!("table/{table}?from=now-{range}");
            let begun = Instant::now();
            let body = monitor.get(&path)?;
            took.push((begun.elapsed().as_secs_f64() * 1000.0, table.to_owned()));
            ensure!(!body.contains("\"rows\":[]"), "no rows: {path}");
        }
        Answers::of(took)
    }

    /// Drops the oldest day of a table of samples.
    pub(super) async fn drop_day(&self, table: &str) -> anyhow::Result<Dropping> {
        const LOG: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')";
        let keep = format!(
            "UPDATE collector.retention SET raw_days = {}",
            (self.last_day - self.begin) / DAY
        );
        self.server.sql(&keep).await?;
        let session = self.session().await?;
        let expire = "SELECT partition FROM collector.expire_partition($1, 'raw', $2)";
        // A session that has been doing this for a while: nothing is expired of this one.
        let clock = now().as_micros();
        session
            .client
            .query_opt(expire, &[&"heartbeat", &clock])
            .await?;
        let before = number(&self.server, LOG).await?;
        let pid = u32::try_from(session.pid)?;
        let (begun, used) = (Instant::now(), process::cpu_ms(pid)?);
        let dropped = session.client.query_opt(expire, &[&table, &clock]).await?;
        let (cpu_ms, ms) = (process::cpu_ms(pid)? - used, begun.elapsed());
        ensure!(dropped.is_some(), "no day of {table} is expired");
        let written = number(&self.server, LOG).await? - before;
        session.close(CLOSE_WITHIN).await;
        Ok(Dropping {
            cpu_ms,
            ms: ms.as_secs_f64() * 1000.0,
            log: mib(written),
        })
    }
}
