//! The body of every status from 400 on.

use serde::Serialize;
use ts_rs::TS;

/// `{"error": {…}}`.
#[derive(Debug, Serialize, TS)]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Serialize, TS)]
pub struct ErrorBody {
    /// A fixed word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Since when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub since_ms: Option<i64>,
}
