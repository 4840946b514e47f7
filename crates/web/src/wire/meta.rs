//! The answers of `GET meta` and `GET texts`.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use super::Unit;

/// The answer. `now_ms` is in front of every answer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Meta {
    /// The server's clock.
    pub now_ms: i64,
    /// Version of the server; a change means that the page has to be reloaded.
    pub version: &'static str,
    /// The sampling interval where an agent does not report its own.
    pub interval_secs: f64,
    /// By name.
    pub hosts: Vec<HostMeta>,
    /// The catalogue.
    pub metrics: Vec<MetricMeta>,
    /// Every table.
    pub tables: Vec<TableMeta>,
}

/// A host.
#[derive(Clone, Debug, Serialize, TS)]
pub struct HostMeta {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its newest sample.
    pub last_ms: Option<i64>,
}

/// A metric.
#[derive(Clone, Debug, Serialize, TS)]
pub struct MetricMeta {
    /// `domain.name`.
    pub id: String,
    /// Label for users.
    pub label: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Whether it has one series per key.
    pub keyed: bool,
    /// Greatest interval between two values, seconds: points closer than 1.5 times as much are joined; 0: a
    /// value with every sample of the host.
    pub every_secs: u32,
    /// Which direction is better.
    #[ts(type = "\"lower\" | \"higher\" | \"neither\"")]
    pub better: &'static str,
    /// Whether unusual values are looked for, so that there are baselines.
    pub scored: bool,
    /// Its thresholds.
    pub levels: Option<Levels>,
}

/// Thresholds.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct Levels {
    /// Informational.
    pub info: Option<f64>,
    /// Degraded.
    pub warn: Option<f64>,
    /// Act now.
    pub critical: Option<f64>,
}

/// A table.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TableMeta {
    /// As in its address.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Columns, in the order of a row's cells.
    pub columns: Vec<ColumnMeta>,
    /// Filters.
    pub filters: Vec<FilterMeta>,
    /// `-rss_bytes`: descending.
    pub default_sort: &'static str,
    /// Whether it is of a range (`from`, `to`) rather than of an instant (`at`).
    pub ranged: bool,
    /// The sentence for an empty table.
    pub empty: &'static str,
}

/// A column.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ColumnMeta {
    /// As in `sort`.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The metric its values belong to.
    pub metric: Option<&'static str>,
    /// Whether it stays visible on a phone.
    pub primary: bool,
}

/// A filter.
#[derive(Clone, Debug, Serialize, TS)]
pub struct FilterMeta {
    /// As in `f.<id>`.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// The values.
    pub values: Vec<FilterValue>,
}

/// A value of a filter.
#[derive(Clone, Debug, Serialize, TS)]
pub struct FilterValue {
    /// As in `f.<filter>=<id>`.
    pub id: &'static str,
    /// Label for users.
    pub label: &'static str,
}

/// The explanations. `now_ms` is in front of every answer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Texts {
    /// The server's clock.
    pub now_ms: i64,
    /// By metric.
    pub metrics: BTreeMap<String, MetricText>,
    /// Descriptions by table and column.
    pub columns: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
}

/// The explanation of a metric.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct MetricText {
    /// What it is.
    pub what: &'static str,
    /// How it is computed, and the source of its thresholds.
    pub how: &'static str,
    /// What to do first when it is bad; may be empty.
    pub fix: &'static str,
}
