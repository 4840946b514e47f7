//! What a snapshot consists of, as it is serialised. Times are milliseconds since 1970.

use schema::Severity;
use serde::Serialize;

/// Everything about an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Snapshot {
    /// The host.
    pub host: String,
    /// The instant.
    pub at_ms: i64,
    /// Start of the window.
    pub from_ms: i64,
    /// End of the window, not included.
    pub to_ms: i64,
    /// Start of what it is compared with: the hour before, or several of what is kept.
    pub before_from_ms: i64,
    /// Its end.
    pub before_to_ms: i64,
    /// What is kept of that time.
    #[cfg_attr(feature = "api", ts(type = "\"raw\" | \"hourly\" | \"daily\""))]
    pub source: &'static str,
    /// The finding that led there; null without one, or where it is not known any more.
    pub finding: Option<Finding>,
    /// The metric that led there.
    pub focus: Option<Focus>,
    /// The worst value of the window of what matters most, with that before.
    pub peaks: Vec<Peak>,
    /// What changed most.
    pub changed: Changed,
    /// The charts of a snapshot that have samples.
    pub charts: Vec<Chart>,
    /// Programs by their greatest use of the processor.
    pub processes: Vec<TopProcess>,
    /// Statements by the time that they took.
    pub statements: Vec<TopStatement>,
    /// What happened in the window, the oldest first.
    pub events: Vec<Event>,
    /// Further events that are left out.
    pub more_events: usize,
    /// The finding that was opened before.
    pub previous: Option<Beside>,
    /// The finding that was opened after.
    pub next: Option<Beside>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// What differs between two ranges.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Comparison {
    /// Start of the range.
    pub from_ms: i64,
    /// Its end, not included.
    pub to_ms: i64,
    /// Start of the range that it is compared with.
    pub before_from_ms: i64,
    /// Its end.
    pub before_to_ms: i64,
    /// What is read of both.
    #[cfg_attr(feature = "api", ts(type = "\"raw\" | \"hourly\" | \"daily\""))]
    pub source: &'static str,
    /// What changed most.
    pub changed: Changed,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS), ts(rename = "SnapshotFinding"))]
pub struct Finding {
    /// Its row in table `findings`.
    pub id: String,
    /// `alert`, `insight` or `recommendation`.
    pub kind: String,
    /// Its severity; of a resolved one the last. The condition and its figures are of then.
    pub severity: Severity,
    /// The worst severity since it was opened.
    pub worst: Severity,
    /// `firing`, `unknown` or `resolved`.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub state: &'static str,
    /// Part of the system.
    pub domain: String,
    /// Its rule.
    pub rule: String,
    /// The metric, with its unit in the registry.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// The condition with its figures.
    pub title: String,
    /// The observation.
    pub message: String,
    /// Who is to blame.
    pub cause: Option<String>,
    /// Steps to take.
    pub steps: Vec<String>,
    /// A shell command that helps.
    pub command: Option<String>,
    /// SQL that helps.
    pub action_sql: Option<String>,
    /// Since when.
    pub opened_ms: i64,
    /// When it ended.
    pub resolved_ms: Option<i64>,
    /// The value that was evaluated.
    pub value: Option<f64>,
    /// The threshold that was reached.
    pub threshold: Option<f64>,
    /// What was expected.
    pub expected: Option<f64>,
    /// The usual deviation.
    pub stddev: Option<f64>,
    /// Whether the value is a `spike` above what was expected or a `drop` below it.
    pub direction: Option<&'static str>,
    /// The deviation in multiples of the usual one.
    pub z_score: Option<f64>,
    /// The deviation in percent of what was expected.
    pub drift_pct: Option<f64>,
}

/// A point of a chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Focus {
    /// The metric.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// Its label.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub label: &'static str,
    /// Its unit.
    #[cfg_attr(feature = "api", ts(type = "Unit"))]
    pub unit: &'static str,
    /// The mean of the bucket of the instant; null without a sample.
    pub value: Option<f64>,
    /// The median before.
    pub before: Option<f64>,
    /// The mean of this hour of the week.
    pub usual: Option<f64>,
    /// Its standard deviation.
    pub usual_spread: Option<f64>,
}

/// The worst value of the window, beside that before.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Peak {
    /// The metric.
    pub metric: String,
    /// The key with the worst value.
    pub key: Option<String>,
    /// Its label.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub label: &'static str,
    /// Its unit.
    #[cfg_attr(feature = "api", ts(type = "Unit"))]
    pub unit: &'static str,
    /// Whether `worst` is the least value, as less is worse.
    pub is_least: bool,
    /// The worst sample of the window.
    pub worst: f64,
    /// The worst sample before, of the same key; null where it had none.
    pub before: Option<f64>,
}

/// What changed most.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Changed {
    /// The most changed series first.
    pub rows: Vec<Change>,
    /// How many series were compared.
    pub compared: usize,
    /// Further ones that changed, too.
    pub more: usize,
    /// Series with a value in the window and none before.
    pub appeared: Vec<Appearance>,
    /// Further ones.
    pub more_appeared: usize,
    /// Series with values before and none in the window: what they are is unknown.
    pub silent: Vec<Appearance>,
    /// Further ones.
    pub more_silent: usize,
}

/// A series that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS), ts(rename = "SnapshotChange"))]
pub struct Change {
    /// The metric.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// Its label.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub label: &'static str,
    /// Its unit.
    #[cfg_attr(feature = "api", ts(type = "Unit"))]
    pub unit: &'static str,
    /// Part of the system.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub domain: &'static str,
    /// The mean of the bucket of the window that is furthest from before.
    pub value: f64,
    /// When that bucket begins.
    pub at_ms: i64,
    /// The median before.
    pub before: f64,
    /// How far it is from before, in multiples of the spread before.
    pub effect: f64,
    /// The mean of this hour of the week; null where it is not known.
    pub usual: Option<f64>,
    /// How far it is from that, in multiples of its standard deviation.
    pub usual_effect: Option<f64>,
    /// Whether the change is for the worse; null where neither direction is.
    pub is_worse: Option<bool>,
    /// Both distances in one figure, by which rows are ranked.
    pub score: f64,
    /// Further keys of the metric that changed less.
    pub more_keys: usize,
}

/// A series that has values on one side only.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Appearance {
    /// The metric.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// Its label.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub label: &'static str,
    /// Its unit.
    #[cfg_attr(feature = "api", ts(type = "Unit"))]
    pub unit: &'static str,
    /// Its greatest mean of a bucket.
    pub value: f64,
}

/// A chart of the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS), ts(rename = "SnapshotChart"))]
pub struct Chart {
    /// Its identifier.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub id: &'static str,
    /// Its title.
    #[cfg_attr(feature = "api", ts(type = "string"))]
    pub title: &'static str,
    /// Its metrics.
    #[cfg_attr(feature = "api", ts(type = "string[]"))]
    pub metrics: &'static [&'static str],
    /// Whether the lines add up.
    pub stacked: bool,
}

/// A program by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct TopProcess {
    /// Its name.
    pub name: String,
    /// Greatest use of the processor, percent of one core.
    pub cpu_pct: Option<f64>,
    /// The same before; null where it had no sample.
    pub cpu_pct_before: Option<f64>,
    /// Greatest memory.
    pub rss_bytes: Option<f64>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct TopStatement {
    /// Its row in table `statements`.
    pub id: String,
    /// The server.
    pub instance: String,
    /// The database.
    pub database: String,
    /// Its text; null where it is not known.
    pub query: Option<String>,
    /// How often it ran.
    pub calls: i64,
    /// The time that it took.
    pub exec_ms: f64,
    /// Share of all statements of the server, percent.
    pub share_pct: Option<f64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS), ts(rename = "SnapshotEvent"))]
pub struct Event {
    /// When it began.
    pub at_ms: i64,
    /// When it ended, or was seen last; null for what lasts or has no length.
    pub end_ms: Option<i64>,
    /// `alert`, `insight`, `recommendation`, `change`, `gap` or `log`.
    pub kind: String,
    /// Its severity.
    pub severity: Severity,
    /// A part of the system, or a log.
    pub source: String,
    /// What happened.
    pub text: String,
    /// How many lines it stands for; 1 of what is not a log.
    pub times: i64,
    /// Of a finding its row in table `findings`.
    pub finding: Option<String>,
    /// Of lines their pattern.
    pub pattern: Option<String>,
}

/// A finding before or after.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "api", derive(ts_rs::TS))]
pub struct Beside {
    /// Its row in table `findings`.
    pub id: String,
    /// When it was opened.
    pub at_ms: i64,
    /// Its worst severity.
    pub severity: Severity,
    /// The condition.
    pub title: String,
}
