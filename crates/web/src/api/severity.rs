//! Words of the API that stand for words of the catalogue.

use serde::Serialize;
use ts_rs::TS;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Worth a look.
    Info,
    /// Degraded.
    Warn,
    /// Act now.
    Crit,
    /// Cannot be told.
    Unknown,
}

impl Severity {
    /// From good to bad; what is unknown is worse than good and better than known to be bad.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Info => 2,
            Self::Warn => 3,
            Self::Crit => 4,
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    /// Whether somebody should act.
    #[must_use]
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Warn | Self::Crit)
    }
}

impl From<schema::Severity> for Severity {
    fn from(severity: schema::Severity) -> Self {
        match severity {
            schema::Severity::Ok => Self::Ok,
            schema::Severity::Info => Self::Info,
            schema::Severity::Warn => Self::Warn,
            schema::Severity::Crit => Self::Crit,
            schema::Severity::Unknown => Self::Unknown,
        }
    }
}

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
            // Stored only as a counter of time, which is read as a share.
            schema::Unit::Ms | schema::Unit::Us => Self::Ms,
            schema::Unit::Secs => Self::Secs,
            schema::Unit::Ratio => Self::Ratio,
            schema::Unit::Bool => Self::Bool,
            schema::Unit::Text | schema::Unit::None => Self::Text,
            schema::Unit::Time => Self::TimeMs,
        }
    }
}
