//! The answer of `GET logs`.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

/// The answer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LogsAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// Lines, the newest first.
    pub rows: Vec<LogRow>,
    /// `before` of the next page; null when there is none.
    pub older: Option<String>,
    /// `after` of the previous page; null on the first one.
    pub newer: Option<String>,
    /// Up to where was searched, when that is not the whole range and the page is not full.
    pub searched_ms: Option<i64>,
    /// Lines of the range under the filters; null where that would have to be searched.
    pub matched: Option<i64>,
    /// `level` and `source` → value → lines under the other filter; empty without `matched`.
    pub facets: BTreeMap<&'static str, BTreeMap<String, i64>>,
}

/// A line.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LogRow {
    /// Names it for good; `before`, `after` and `around` take it.
    pub id: String,
    /// When it was said.
    pub ts_ms: i64,
    /// Name of the source.
    pub source: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Program or part of it; may be empty.
    pub component: String,
    /// What it says.
    pub message: String,
    /// Its true length in characters, where it was cut.
    pub message_chars: Option<i32>,
    /// JSON: what else the source says.
    pub context: Option<String>,
    /// Its pattern.
    pub fingerprint: String,
}
