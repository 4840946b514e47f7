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
    /// What was read.
    #[ts(type = "\"raw\" | \"hourly\" | \"daily\"")]
    pub source: &'static str,
    /// Changes when stored history changed.
    pub generation: String,
    /// For `since` of the next question.
    pub cursor: String,
    /// Whether this continues the answer whose cursor was given.
    pub partial: bool,
    /// In the order asked for; keys of one metric by highest value.
    pub series: Vec<Series>,
    /// Spans without samples.
    pub gaps: Vec<(i64, i64)>,
    /// What happened.
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
    /// The greatest.
    pub hi: Vec<Option<f64>>,
    /// The mean.
    pub avg: Vec<Option<f64>>,
    /// The value at the newest instant of the range; null when it has none there.
    pub last: Option<f64>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Mark {
    /// When.
    pub at_ms: i64,
    /// What.
    pub text: String,
    /// How bad.
    pub severity: Severity,
}

/// A metric that could not be read.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SeriesError {
    /// As asked for.
    pub metric: String,
    /// Why.
    pub message: String,
}
