//! Units as the API names them.

use serde::Serialize;
use ts_rs::TS;

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of docs/API.md")]
pub enum Unit {
    Percent,
    Bytes,
    BytesPerSec,
    PerSec,
    Count,
    Ms,
    Secs,
    Ratio,
    Bool,
    Text,
    TimeMs,
    Severity,
}

impl From<schema::Unit> for Unit {
    fn from(unit: schema::Unit) -> Self {
        match unit {
            schema::Unit::Percent => Self::Percent,
            schema::Unit::Bytes => Self::Bytes,
            schema::Unit::BytesPerSec => Self::BytesPerSec,
            schema::Unit::PerSec => Self::PerSec,
            schema::Unit::Count => Self::Count,
            // Stored only in counters of time, which are read as shares.
            schema::Unit::Ms | schema::Unit::Us => Self::Ms,
            schema::Unit::Secs => Self::Secs,
            schema::Unit::Ratio => Self::Ratio,
            schema::Unit::Bool => Self::Bool,
            schema::Unit::Text | schema::Unit::None => Self::Text,
            schema::Unit::Time => Self::TimeMs,
        }
    }
}
