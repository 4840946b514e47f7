//! The answer of `GET table/<name>`.

use std::collections::BTreeMap;

use schema::Severity;
use serde::Serialize;
use ts_rs::TS;

use super::Cell;

/// The answer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TableAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// The sample the rows are of.
    pub at_ms: Option<i64>,
    /// Rows in all.
    pub total: usize,
    /// Rows that pass search and filters.
    pub matched: usize,
    /// This page, from 0.
    pub page: usize,
    /// Pages of matched rows.
    pub pages: usize,
    /// The rows of this page.
    pub rows: Vec<TableRow>,
    /// Filter → value → rows under the search and the other filters.
    pub facets: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Filter → value → the worst of those rows in that respect.
    pub filter_severities: BTreeMap<&'static str, BTreeMap<String, Severity>>,
    /// Column → its sum over all matched rows, where values add up and there is one.
    pub sums: BTreeMap<&'static str, f64>,
    /// Why something is missing.
    pub note: String,
}

/// A row.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TableRow {
    /// Stable from answer to answer.
    pub id: String,
    /// In the order of the columns.
    pub cells: Vec<Cell>,
    /// Of each cell; null where it is not judged.
    pub severities: Vec<Option<Severity>>,
    /// The worst of the cells.
    pub severity: Severity,
}
