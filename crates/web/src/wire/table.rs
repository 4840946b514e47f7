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
    /// Filter → value → rows that pass the search and the other filters.
    pub facets: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Filter → value → the worst severity of those rows for that filter.
    pub filter_severities: BTreeMap<&'static str, BTreeMap<String, Severity>>,
    /// Column → its sum over all matched rows, for additive columns with values.
    pub sums: BTreeMap<&'static str, f64>,
    /// The coarsest of what the rows were read from.
    #[ts(type = "\"raw\" | \"hourly\" | \"daily\"")]
    pub source: &'static str,
    /// Why rows are missing.
    pub note: String,
}

/// A row.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TableRow {
    /// Identifier, stable between answers.
    pub id: String,
    /// In the order of the columns.
    pub cells: Vec<Cell>,
    /// Severity of each cell; null where it is not evaluated.
    pub severities: Vec<Option<Severity>>,
    /// The worst severity of the cells.
    pub severity: Severity,
}
