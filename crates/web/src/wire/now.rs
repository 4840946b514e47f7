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
    /// Version of the server.
    pub version: &'static str,
    /// The host.
    pub host: HostNow,
    /// The state in one sentence.
    pub verdict: Verdict,
    /// How old the data are.
    pub freshness: Freshness,
    /// The collector.
    pub agent: Agent,
    /// Whether the database answers.
    pub database: DatabaseNow,
    /// Problems, ranked.
    pub problems: Vec<Problem>,
    /// Alerts that ended recently, the newest first.
    pub ended: Vec<Ended>,
    /// What was changed on the host within the last hour, the newest first.
    pub changes: Vec<Changed>,
    /// Areas, in the order of the page.
    pub areas: Vec<Area>,
    /// Badges by view, for the whole host.
    pub badges: BTreeMap<&'static str, Badge>,
    /// Latest values.
    pub facts: Vec<Fact>,
    /// Changes when stored history changed.
    pub generation: String,
    /// All hosts together; absent while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fleet: Option<FleetNow>,
}

/// The verdict over all hosts.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct FleetNow {
    /// How many there are.
    pub hosts: usize,
    /// The worst of what is known; never `ok` when one is not read.
    pub severity: Severity,
    /// The state in one sentence, with the names of those that are not normal.
    pub text: String,
    /// How many have warnings or worse.
    pub bad: usize,
    /// Of how many nothing is known: their data are old, or their collector is silent.
    pub unread: usize,
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
    /// Cores; `None` when unknown.
    pub cores: Option<i32>,
    /// Memory, bytes; `None` when unknown.
    pub memory_bytes: Option<i64>,
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
    /// The state in one sentence.
    pub text: String,
    /// Since when the worst problem exists.
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

/// The state of the data by its age.
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
    /// Its newest heartbeat.
    pub heartbeat_ms: Option<i64>,
    /// Records waiting in the queue of the host.
    pub pending_records: Option<f64>,
}

/// The state of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of docs/API.md")]
pub enum AgentState {
    Running,
    Silent,
    Stopped,
    Never,
    Unknown,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct DatabaseNow {
    /// Whether it answers.
    pub state: DatabaseState,
    /// Since when it has not answered.
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

/// A condition to act on.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Problem {
    /// Stable while it lasts.
    pub id: String,
    /// Its severity.
    pub severity: Severity,
    /// The condition with its value.
    pub title: String,
    /// Its metric; empty for a condition without one.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// The evaluated value.
    pub value: Option<f64>,
    /// The value of the newest sample, where that is not what was evaluated.
    pub current: Option<f64>,
    /// The threshold it has reached.
    pub level: Option<f64>,
    /// Since when.
    pub since_ms: Option<i64>,
    /// The evaluation that its texts and figures are of; null for what the server judges itself.
    pub as_of_ms: Option<i64>,
    /// Since when there are no data to tell whether it lasts.
    pub unknown_since_ms: Option<i64>,
    /// Its row in table `findings`; null for what the server judges itself and for what counts several.
    pub finding: Option<String>,
    /// The view that shows it.
    pub view: String,
    /// What to do first.
    pub fix: String,
    /// The culprit; empty when unknown.
    pub cause: String,
    /// A command to copy that goes with `fix`; empty when there is none.
    pub command: String,
    /// What follows from it.
    pub effects: Vec<Effect>,
}

/// A condition that follows from a problem.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Effect {
    /// Stable while it lasts.
    pub id: String,
    /// Its severity.
    pub severity: Severity,
    /// The condition with its value.
    pub title: String,
    /// Its metric; empty for a condition without one.
    pub metric: String,
    /// Its key.
    pub key: Option<String>,
    /// The view that shows it.
    pub view: String,
}

impl From<Problem> for Effect {
    fn from(problem: Problem) -> Self {
        Self {
            id: problem.id,
            severity: problem.severity,
            title: problem.title,
            metric: problem.metric,
            key: problem.key,
            view: problem.view,
        }
    }
}

/// An alert that ended.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Ended {
    /// Stable.
    pub id: String,
    /// Its worst severity.
    pub severity: Severity,
    /// The condition with its last value.
    pub title: String,
    /// When it began.
    pub since_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// The view that shows it.
    pub view: String,
}

/// A change of the host: most problems begin with one.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(rename = "RecentChange")]
pub struct Changed {
    /// When.
    pub at_ms: i64,
    /// What, in a sentence.
    pub text: String,
    /// A warning for what failed, or stopped.
    pub severity: Severity,
}

/// A part of the system.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Area {
    /// Its name in the API.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// The view that shows it.
    pub view: &'static str,
    /// Whether it exists on this host; an absent area is not a problem.
    pub present: bool,
    /// The severity of its worst problem.
    pub severity: Severity,
    /// Number of its problems.
    pub count: usize,
    /// The title of the worst.
    pub worst: String,
}

/// A count with its severity; by default nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct Badge {
    /// The worst severity.
    pub severity: Severity,
    /// The count.
    pub count: usize,
}

impl Badge {
    /// Returns a badge.
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
    /// Its key; the worst of several.
    pub key: Option<String>,
    /// The evaluated value, over the metric's window.
    pub value: Option<f64>,
    /// The severity of the open findings of that metric; unknown without a value and when data is stale.
    pub severity: Severity,
}
