//! The answers of `GET snapshot`, `GET compare` and `GET bands`; what the first two consist of is in [`snapshot::model`].

use serde::Serialize;
use snapshot::{Comparison, Snapshot};
use ts_rs::TS;

/// The answer of `GET snapshot`.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct SnapshotAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// Everything about the instant; null while no host has stored anything.
    pub snapshot: Option<Snapshot>,
}

/// The answer of `GET compare`.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct CompareAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// What differs; null while no host has stored anything.
    pub comparison: Option<Comparison>,
}

/// The answer of `GET bands`.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct BandsAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// Series that have a baseline.
    pub bands: Vec<Band>,
}

/// What is usual for a series, by hour.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Band {
    /// The metric.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// Start of each hour, its 5th and its 95th percentile.
    pub hours: Vec<(i64, f64, f64)>,
}
