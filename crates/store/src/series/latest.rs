//! The latest value of a metric.

use std::time::Duration;

use schema::{Every, Metric, Timestamp};
use tokio_postgres::Client;

use super::ReadError;
use super::scan::{Scan, group};
use super::sql::{Source, Span, Statement, mean, samples};

/// The value of one metric and key.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// The metric.
    pub metric: &'static Metric,
    /// The key, where it has one.
    pub key: Option<String>,
    /// A level: the mean over the window. A counter: its rate over the window. `None`: unknown.
    pub value: Option<f64>,
}

/// Reads the value of each metric at `at`, an instant at which there is a sample: over the window
/// `evaluated_over_secs` of the metric that ends there, or of that one instant where the window is 0
/// (for slowly sampled metrics, of the newest instant within two slow ticks).
/// Keys are those seen within the window. A single series without a sample has one unknown value.
///
/// # Errors
/// When the database does not answer.
pub async fn latest(
    client: &Client,
    host_id: i32,
    metrics: &[&'static Metric],
    at: Timestamp,
    interval: i64,
) -> Result<Vec<Latest>, ReadError> {
    let windows: Vec<(&'static Metric, u32)> = metrics
        .iter()
        .map(|metric| (*metric, metric.evaluated_over_secs))
        .collect();
    latest_over(client, host_id, &windows, at, interval).await
}

/// Reads as [`latest`] does, each metric over the given window, seconds.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_over(
    client: &Client,
    host_id: i32,
    metrics: &[(&'static Metric, u32)],
    at: Timestamp,
    interval: i64,
) -> Result<Vec<Latest>, ReadError> {
    let (scans, _) = group(metrics.iter().copied());
    let source = Source {
        host_id,
        interval,
        keys: None,
    };
    // All statements are sent at once; the server answers them one after another.
    let read = scans.iter().map(|(scan, window)| {
        let window = Duration::from_secs(u64::from(*window));
        let sql = statement(scan, &source, at, window);
        async move { sql.query(client, scan.table.name).await }
    });
    let read = futures_util::future::try_join_all(read).await?;
    let mut found = Vec::new();
    for ((scan, _), rows) in scans.iter().zip(read) {
        let fault = |source| ReadError::new(scan.table.name, source);
        for row in rows {
            let key: Option<String> = row.try_get("k").map_err(fault)?;
            for (place, metric) in scan.metrics.iter().enumerate() {
                found.push(Latest {
                    metric,
                    key: key.clone(),
                    value: row.try_get(place + 1).map_err(fault)?,
                });
            }
        }
    }
    for (metric, _) in metrics {
        if metric.key.is_none() && !found.iter().any(|one| one.metric == *metric) {
            found.push(Latest {
                metric,
                key: None,
                value: None,
            });
        }
    }
    Ok(found)
}

/// Returns the statement for `k, a0 …` over the window that ends at `at`, `at` included.
pub(super) fn statement(
    scan: &Scan,
    source: &Source<'_>,
    at: Timestamp,
    window: Duration,
) -> Statement {
    let mut sql = Statement::default();
    let micros = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    let end = at.as_micros().saturating_add(1);
    let start = end.saturating_sub(micros.max(1));
    let span = if micros == 0 && scan.every == Every::Slow {
        let start = end.saturating_sub(2 * scan.every.micros(source.interval));
        let (from, to) = (Timestamp(start), Timestamp(end));
        Span::newest(
            &mut sql,
            scan.table,
            &scan.filled(),
            source.host_id,
            from,
            to,
        )
    } else {
        Span::between(&mut sql, Timestamp(start), Timestamp(end))
    };
    let inner = samples(&mut sql, scan, source, &span);
    let value = |place: usize, metric: &Metric| {
        let mean = mean(scan.kind, place, "OVER ()");
        match Scan::whole(metric).1 {
            least if least > 0.0 => {
                format!(",\n  CASE WHEN sum(w{place}) >= {least:?} THEN {mean} END AS a{place}")
            }
            _ => format!(",\n  {mean} AS a{place}"),
        }
    };
    let values: String = scan
        .metrics
        .iter()
        .enumerate()
        .map(|(place, metric)| value(place, metric))
        .collect();
    sql.text = format!(
        "SELECT k{values}\nFROM (\n  {inner}\n) samples\nGROUP BY k\nORDER BY k COLLATE \"C\""
    );
    sql
}
