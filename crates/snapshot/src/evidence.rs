//! A snapshot as a file that needs no server: everything it shows, with the values of its charts.

use jiff::tz::TimeZone;
use schema::Timestamp;
use serde::Serialize;
use store::series::{self, RangeQuery, ReadError};
use tokio_postgres::Client;
use words::round;

use crate::model::Snapshot;
use crate::{Host, Question, render};

/// Keys of a metric whose values are in the file.
const KEYS: i64 = 8;
/// About so many buckets of a chart.
const BUCKETS: i64 = 240;

/// The file.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// What it is.
    pub kind: &'static str,
    /// The program that made it.
    pub version: &'static str,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Values of its charts.
    pub series: Vec<Series>,
    /// The same for people, as Markdown.
    pub markdown: String,
}

/// The values of a series.
#[derive(Debug, Serialize)]
pub struct Series {
    /// The metric.
    pub metric: String,
    /// Its label.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its key.
    pub key: Option<String>,
    /// Width of a bucket, milliseconds.
    pub step_ms: i64,
    /// Start, least, greatest and mean value of each bucket that has a sample.
    pub buckets: Vec<(i64, f64, f64, f64)>,
}

/// Makes the file of a snapshot.
///
/// # Errors
/// When the values of the charts cannot be read.
pub async fn evidence(
    client: &Client,
    host: &Host,
    question: &Question,
    snapshot: Snapshot,
    zone: &TimeZone,
) -> Result<Evidence, ReadError> {
    let (from, to) = (question.window.from(), question.window.to());
    let step = ((to.as_micros() - from.as_micros()) / BUCKETS).max(host.interval);
    let from = Timestamp(from.as_micros().div_euclid(step) * step);
    let metrics = snapshot.charts.iter().flat_map(|chart| chart.metrics);
    let metrics = metrics.filter_map(|id| schema::metric(id));
    let ask = RangeQuery::of_metrics(host.id, (from, to), step, host.interval, KEYS, metrics);
    let mut answer = series::buckets(client, &ask).await;
    if let Some(fault) = answer.faults.pop() {
        return Err(fault.error);
    }
    let each = answer.series.into_iter().map(|found| Series {
        metric: found.metric.id(),
        label: found.metric.label,
        unit: found.metric.unit.as_str(),
        key: found.key,
        step_ms: step / 1000,
        buckets: found
            .buckets
            .iter()
            .map(|one| {
                (
                    one.at.as_millis(),
                    round(one.lo),
                    round(one.hi),
                    round(one.avg),
                )
            })
            .collect(),
    });
    Ok(Evidence {
        kind: "pqcrypta-collector snapshot",
        version: env!("CARGO_PKG_VERSION"),
        created_ms: question.now.as_millis(),
        series: each.collect(),
        markdown: render::markdown(&snapshot, zone),
        snapshot,
    })
}
