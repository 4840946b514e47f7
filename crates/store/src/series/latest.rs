//! What a metric is now.

use std::time::Duration;

use schema::{Metric, Timestamp};
use tokio_postgres::Client;

use super::ReadError;
use super::scan::{Kind, Scan, group};
use super::sql::{Source, Span, Statement, samples};

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

/// The value of each metric at `at`, an instant at which there is a sample: over the window
/// `judged_over_secs` of the metric that ends there, or of that one instant where the window is 0.
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
    let with_window = metrics
        .iter()
        .map(|metric| (*metric, metric.judged_over_secs));
    let (scans, _) = group(with_window);
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
    for metric in metrics {
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

/// `k, a0 …` over the window that ends at `at`, `at` included.
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
    let span = Span::between(&mut sql, Timestamp(start), Timestamp(end));
    let inner = samples(&mut sql, scan, source, &span);
    let values: String = (0..scan.metrics.len())
        .map(|place| match scan.kind {
            Kind::Steps { .. } => format!(
                ",\n  sum(v{place} * dt) / nullif(sum(dt) FILTER (WHERE v{place} IS NOT NULL), 0) AS a{place}"
            ),
            Kind::Level { .. } | Kind::Elements { .. } => format!(",\n  avg(v{place}) AS a{place}"),
        })
        .collect();
    sql.text = format!(
        "SELECT k{values}\nFROM (\n  {inner}\n) samples\nGROUP BY k\nORDER BY k COLLATE \"C\""
    );
    sql
}
