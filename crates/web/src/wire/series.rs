//! The answer of `GET series`.

use schema::Severity;
use serde::Serialize;
use ts_rs::TS;

/// The answer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SeriesAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// Start of the first bucket.
    pub t0_ms: i64,
    /// Width of a bucket.
    pub step_ms: i64,
    /// Number of buckets.
    pub n: usize,
    /// The kind of the stored samples.
    #[ts(type = "\"raw\" | \"hourly\" | \"daily\"")]
    pub source: &'static str,
    /// Changes when stored history changed.
    pub generation: String,
    /// For `since` of the next request.
    pub cursor: String,
    /// Whether this is a continuation of the answer with the given cursor.
    pub partial: bool,
    /// Series in the requested order; keys of one metric by highest value.
    pub series: Vec<Series>,
    /// Spans without samples.
    pub gaps: Vec<(i64, i64)>,
    /// Events.
    pub marks: Vec<Mark>,
    /// Metrics that could not be read.
    pub errors: Vec<SeriesError>,
}

/// One series; a bucket without a sample is null.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Series {
    /// The metric.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// The least sample of each bucket.
    pub lo: Vec<Option<f64>>,
    /// The greatest sample.
    pub hi: Vec<Option<f64>>,
    /// The mean.
    pub avg: Vec<Option<f64>>,
    /// The value at the newest instant of the range; null when it has none there.
    pub last: Option<f64>,
}

/// An event.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Mark {
    /// When.
    pub at_ms: i64,
    /// A description.
    pub text: String,
    /// Its severity.
    pub severity: Severity,
}

/// A metric that could not be read.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SeriesError {
    /// As requested.
    pub metric: String,
    /// Why.
    pub message: String,
}
