//! The body of every status from 400 on.

use serde::Serialize;
use ts_rs::TS;

/// `{"error": {…}}`.
#[derive(Debug, Serialize, TS)]
pub struct ErrorAnswer {
    /// The error.
    pub error: ErrorBody,
}

/// An error.
#[derive(Debug, Serialize, TS)]
pub struct ErrorBody {
    /// A fixed identifier for programs.
    pub code: &'static str,
    /// A sentence for users.
    pub message: String,
    /// Since when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub since_ms: Option<i64>,
}
