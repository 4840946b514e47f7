//! The answer of `GET now`.

use std::collections::BTreeMap;

use schema::Severity;
use serde::Serialize;
use ts_rs::TS;

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Now {
    /// The server's clock.
    pub now_ms: i64,
    /// Of the server.
    pub version: &'static str,
    /// Whom this is about.
    pub host: HostNow,
    /// One sentence.
    pub verdict: Verdict,
    /// How old the data are.
    pub freshness: Freshness,
    /// What the collector does.
    pub agent: Agent,
    /// Whether the database answers.
    pub database: DatabaseNow,
    /// Ranked.
    pub problems: Vec<Problem>,
    /// In the order of the page.
    pub areas: Vec<Area>,
    /// By view, of the whole host.
    pub badges: BTreeMap<&'static str, Badge>,
    /// Latest values.
    pub facts: Vec<Fact>,
    /// Changes when stored history changed.
    pub generation: String,
}

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
pub struct HostNow {
    /// Its number; 0 when there is none.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its kernel.
    pub kernel: String,
    /// Cores; 0 when unknown.
    pub cores: i32,
    /// Memory; 0 when unknown.
    pub memory_bytes: i64,
    /// When it booted.
    pub boot_ms: Option<i64>,
    /// When its collector first started; there are no older data.
    pub first_ms: Option<i64>,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Verdict {
    /// Never `ok` when data are old, absent or out of reach.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// Since when the worst lasts.
    pub since_ms: Option<i64>,
}

/// How old the data are.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Freshness {
    /// The newest sample.
    pub newest_ms: Option<i64>,
    /// Its age.
    pub age_secs: Option<f64>,
    /// The sampling interval of this host.
    pub interval_secs: f64,
    /// Late from 2 intervals on, stale from 6.
    pub state: FreshnessState,
}

/// How old the data are, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of docs/API.md")]
pub enum FreshnessState {
    Live,
    Late,
    Stale,
    Empty,
}

/// The collector of a host.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Agent {
    /// What it does.
    pub state: AgentState,
    /// Its newest sign of life.
    pub heartbeat_ms: Option<i64>,
    /// Records that wait on the host.
    pub pending_records: Option<f64>,
}

/// What the collector does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of docs/API.md")]
pub enum AgentState {
    Running,
    Silent,
    Stopped,
    Never,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct DatabaseNow {
    /// Whether it answers.
    pub state: DatabaseState,
    /// Since when it does not.
    pub since_ms: Option<i64>,
    /// A sentence; empty when all is well.
    pub message: String,
}

/// Whether the database answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of docs/API.md")]
pub enum DatabaseState {
    Ok,
    Unreachable,
}

/// Something to act on.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Problem {
    /// Stable while it lasts.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// What, with its value.
    pub title: String,
    /// Its metric; empty where it is no metric's.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// The judged value.
    pub value: Option<f64>,
    /// The threshold it has reached.
    pub level: Option<f64>,
    /// Since when.
    pub since_ms: Option<i64>,
    /// Where to look.
    pub view: String,
    /// What to do first.
    pub fix: String,
    /// Who or what is behind it, as the newest sample tells; empty when nobody is known.
    pub cause: String,
    /// A command to copy that goes with `fix`; empty when there is none.
    pub command: String,
}

/// A part of the system.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Area {
    /// Its name in the API.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Where to look.
    pub view: &'static str,
    /// Whether there is such a thing here: a host without an API is none the worse for it.
    pub present: bool,
    /// Its worst problem's.
    pub severity: Severity,
    /// Problems in it.
    pub count: usize,
    /// The title of the worst.
    pub worst: String,
}

/// A count with its severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Badge {
    /// The worst.
    pub severity: Severity,
    /// How many.
    pub count: usize,
}

impl Badge {
    /// A badge.
    #[must_use]
    pub fn new(severity: Severity, count: usize) -> Self {
        Self { severity, count }
    }
}

/// A latest value.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Fact {
    /// Its metric.
    pub metric: String,
    /// Its key: of several the worst.
    pub key: Option<String>,
    /// As judged: over the metric's window.
    pub value: Option<f64>,
    /// Of that value; unknown when data are stale.
    pub severity: Severity,
}
