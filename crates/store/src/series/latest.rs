//! The latest value of a metric.

use std::time::Duration;

use schema::{Every, Metric, Timestamp};
use tokio_postgres::Client;

use super::ReadError;
use super::fold::{Buckets, Folding, Sampled};
use super::folded::rule;
use super::scan::{Scan, group};
use super::sql::{Source, Span, Statement, margin, mean, samples, secs};

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

/// Returns the column that a metric is a counter or a level of; `None` where it is made of several.
#[must_use]
pub fn column_of(metric: &Metric) -> Option<&'static str> {
    let column = metric.series.table().column(Scan::expr(metric).0);
    column.map(|column| column.name)
}

/// A row that was read: its instant, its key, and the values of some columns.
pub type KeyedRow = (Timestamp, String, Vec<Option<f64>>);

/// Returns what [`latest`] reads at the instant of the newest rows, of metrics with a row for each key and tick, made of one column each
/// ([`column_of`]): rows from [`MAX_STEP_INTERVALS`](super::MAX_STEP_INTERVALS) intervals before that instant on are needed. To read the
/// rows of a sealed hour twice takes twice as long.
#[must_use]
pub fn latest_of_rows(
    metrics: &[&'static Metric],
    mut rows: Vec<KeyedRow>,
    interval: i64,
) -> Vec<Latest> {
    rows.sort_by_key(|row| row.0);
    let (Some(newest), Some(first)) = (rows.last().map(|row| row.0), metrics.first()) else {
        return Vec::new();
    };
    let source = Source {
        host_id: 0,
        interval,
        keys: None,
    };
    let longest = secs(margin(&Scan::of(first), &source));
    let rules = metrics.iter().map(|metric| rule(&Scan::of(metric), metric));
    let none = Buckets {
        length: i64::MAX,
        count: 0,
        of_metrics: false,
    };
    let mut folding = Folding::new(rules.collect(), newest.as_micros(), longest, none);
    for (at, key, values) in &rows {
        folding.add(Sampled {
            at: at.as_micros(),
            source: key.as_bytes(),
            key: Some(key),
            secs: None,
            values,
        });
    }
    let mut found = Vec::new();
    for key in folding.end().keys {
        for (metric, figures) in metrics.iter().zip(key.figures) {
            found.push(Latest {
                metric,
                key: key.name.clone(),
                value: figures[4],
            });
        }
    }
    found
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
