//! What is stored and what it means, declared once.
//!
//! * [`TableDef`] declares a stored table: its columns, their roles and units. [`metric_table!`]
//!   derives it from the struct that a collector fills, so that a field, a column, a JSON key and
//!   a label are one name. [`TABLES`] lists every table, [`VIEWS`] what is stored in two.
//! * [`Row`] is one sample on its way through spool, COPY, roll-up and API. From a collector's
//!   typed struct on, everything is rows; nothing downstream knows a metric by name.
//! * [`Metric`] is a number that matters and the one way to read it over time ([`Series`]), with
//!   its thresholds and its words. [`METRICS`] lists every metric.
//! * [`Finding`] is what was concluded from what is stored.
//! * [`logs`] has what a batch of log lines consists of beside its rows.
//!
//! This crate is pure: no I/O, no clock, no dependency. The feature `api` lets the dashboard's server
//! serialise [`Severity`] and generate its TypeScript type.
//!
//! Invariants, checked by the tests of this crate and by `store` against a migrated database:
//! names are unique; every expression of a metric reads columns of its table; counters are read
//! only through [`Series::Steps`] and [`Series::Share`]; thresholds are ordered as [`Better`] says.

mod agent_outcome;
mod log_level;
mod metric;
mod row;
mod run_outcome;
mod severity;
mod table;

pub mod finding;
pub mod logs;
pub mod metrics;
pub mod micros;
pub mod tables;

pub use agent_outcome::AgentOutcome;
pub use finding::Finding;
pub use log_level::LogLevel;
pub use metric::{Better, Domain, Fold, Levels, Metric, Series, Source};
pub use metrics::METRICS;
pub use row::{Cell, CellType, Json, Row, Sample, Timestamp};
pub use run_outcome::RunOutcome;
pub use severity::Severity;
pub use table::{Class, Column, Every, Keep, PgType, Role, SLOW_SECS, Samples, TableDef, Unit};
pub use tables::{TABLES, VIEWS};

/// The declared table or view of this name, if there is one.
#[must_use]
pub fn table(name: &str) -> Option<&'static TableDef> {
    let mut declared = TABLES.iter().chain(VIEWS);
    declared.find(|table| table.name == name).copied()
}

/// The metric with this identifier (`domain.name`), if there is one.
#[must_use]
pub fn metric(id: &str) -> Option<&'static Metric> {
    let (domain, name) = id.split_once('.')?;
    METRICS
        .iter()
        .find(|metric| metric.domain.as_str() == domain && metric.name == name)
}
