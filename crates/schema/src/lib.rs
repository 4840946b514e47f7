//! Declarations of stored tables and metrics.
//!
//! * [`TableDef`] declares a stored table: its columns, their roles and units. [`metric_table!`]
//!   derives it from the struct that a collector fills, so that a field, a column, a JSON key and
//!   a label are one name. [`TABLES`] lists every table, [`VIEWS`] the views that join two of them.
//! * [`Row`] is one sample on its way through spool, COPY, roll-up and API. Downstream of the
//!   collector's typed struct everything is a row, and no code names a metric.
//! * [`Metric`] is a figure with the only way to read it over time ([`Series`]), its thresholds and its
//!   texts. [`METRICS`] lists every metric.
//! * [`expr`] evaluates the SQL expressions of metrics without a database.
//! * [`Finding`] is a conclusion from stored data.
//! * [`logs`] has what a batch of log lines consists of beside its rows.
//!
//! This crate is pure: no I/O, no clock, no dependency. The feature `api` lets the dashboard's server
//! serialise [`Severity`] and generate its TypeScript type.
//!
//! Invariants, checked by the tests of this crate and by `store` against a migrated database:
//! names are unique; every expression of a metric reads columns of its table; counters are read
//! only through [`Series::Steps`] and [`Series::Share`]; thresholds are ordered as [`Better`] requires.

mod agent_outcome;
mod capacity;
mod log_level;
mod metric;
mod row;
mod run_outcome;
mod scoring;
mod severity;
mod table;

pub mod expr;
pub mod finding;
pub mod logs;
pub mod metrics;
pub mod micros;
pub mod tables;

pub use agent_outcome::AgentOutcome;
pub use capacity::{Capacity, Limit};
pub use finding::{Finding, Transition};
pub use log_level::LogLevel;
pub use metric::{Better, Domain, Fold, Levels, Metric, Series, Source};
pub use metrics::METRICS;
pub use row::{Cell, CellType, Json, Row, Sample, Timestamp};
pub use run_outcome::RunOutcome;
pub use scoring::Scoring;
pub use severity::Severity;
pub use table::{
    Class, Column, Every, Keep, PgType, Role, SLOW_SECS, Samples, Sealed, TableDef, Unit,
};
pub use tables::{TABLES, VIEWS};

/// Returns the declared table or view of this name.
#[must_use]
pub fn table(name: &str) -> Option<&'static TableDef> {
    let mut declared = TABLES.iter().chain(VIEWS);
    declared.find(|table| table.name == name).copied()
}

/// Returns the metric with this identifier (`domain.name`).
#[must_use]
pub fn metric(id: &str) -> Option<&'static Metric> {
    let (domain, name) = id.split_once('.')?;
    METRICS
        .iter()
        .find(|metric| metric.domain.as_str() == domain && metric.name == name)
}
