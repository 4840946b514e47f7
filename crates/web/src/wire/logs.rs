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
    /// The instant that the search reached, when it ended before the page was full and the range was searched.
    pub searched_ms: Option<i64>,
    /// Since when lines are kept, when the range has older ones, which are only counted; null otherwise.
    pub kept_from_ms: Option<i64>,
    /// Lines of the range that pass the filters; null where a search would be needed.
    pub matched: Option<i64>,
    /// `level` and `source` → value → lines that pass the other filter; empty without `matched`.
    pub facets: BTreeMap<&'static str, BTreeMap<String, i64>>,
}

/// A line.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LogRow {
    /// Lasting identifier; `before`, `after` and `around` take it.
    pub id: String,
    /// The time of the line.
    pub ts_ms: i64,
    /// Name of the source.
    pub source: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Program or part of it; may be empty.
    pub component: String,
    /// The message.
    pub message: String,
    /// Its true length in characters, where it was cut.
    pub message_chars: Option<i32>,
    /// JSON: further fields of the source.
    pub context: Option<String>,
    /// Its pattern.
    pub fingerprint: String,
}
