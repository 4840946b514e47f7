//! The answer of `GET alerts`.

use schema::Severity;
use serde::Serialize;
use ts_rs::TS;

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
pub struct AlertsAnswer {
    /// The server's clock.
    pub now_ms: i64,
    /// Findings now: how many of which severity are in which state, resolved ones since `today`.
    pub counts: Vec<AlertCount>,
    /// Alerts resolved within the range.
    pub resolved: i64,
    /// How long they lasted on average; null without one.
    pub mean_secs: Option<f64>,
    /// The alert that ended last, whatever the range; null where none is known.
    pub last: Option<EndedAlert>,
    /// What began or returned three times or more within the last hour, the most frequent first.
    pub flapping: Vec<FlappingAlert>,
    /// The range by rule and target: firing ones first, then the worst, then the newest.
    pub lanes: Vec<AlertLane>,
    /// Further lanes that are left out.
    pub more_lanes: usize,
    /// Heartbeats of the range by component.
    pub heartbeats: Vec<HeartbeatStrip>,
}

/// A number of findings.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct AlertCount {
    /// Of this severity; resolved ones by their worst.
    pub severity: Severity,
    /// `firing`, `unknown` or `resolved`.
    pub state: String,
    /// Their number.
    pub count: i64,
}

/// A finding that ended.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct EndedAlert {
    /// Its row in table `findings`.
    pub id: String,
    /// The condition.
    pub title: String,
    /// When it ended.
    pub at_ms: i64,
    /// How long it lasted.
    pub secs: f64,
}

/// A condition that comes and goes.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct FlappingAlert {
    /// Its newest finding, a row of table `findings`.
    pub id: String,
    /// The condition.
    pub title: String,
    /// The worst severity of its newest finding.
    pub severity: Severity,
    /// How often it began or returned within the last hour.
    pub times: i64,
}

/// The findings of one rule and target.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct AlertLane {
    /// The rule.
    pub rule: String,
    /// The target.
    pub target: String,
    /// The condition of the newest.
    pub title: String,
    /// Of the newest.
    pub kind: String,
    /// Of the newest.
    pub domain: String,
    /// `firing`, `unknown` or `resolved`: of the newest.
    pub state: String,
    /// Of the newest; of a resolved one the last.
    pub severity: Severity,
    /// Their worst severity.
    pub worst: Severity,
    /// From opening to resolution, the newest first.
    pub bars: Vec<AlertBar>,
}

/// The life of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct AlertBar {
    /// Its row in table `findings`.
    pub id: String,
    /// Since when the condition held.
    pub opened_ms: i64,
    /// When it ended; null while it lasts.
    pub resolved_ms: Option<i64>,
    /// Since when there are no data to tell.
    pub unknown_ms: Option<i64>,
    /// Its severity from an instant on, at least one.
    pub changes: Vec<SeverityChange>,
}

/// A change of severity.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct SeverityChange {
    /// From when on.
    pub at_ms: i64,
    /// The severity.
    pub severity: Severity,
}

/// The heartbeats of a component.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct HeartbeatStrip {
    /// The component.
    pub component: String,
    /// Start of the first bucket.
    pub t0_ms: i64,
    /// Width of a bucket.
    pub step_ms: i64,
    /// Seconds between two heartbeats.
    pub every_secs: f64,
    /// Share of the expected heartbeats by bucket, at most 1; null before the first start of the collector and in the future.
    pub shares: Vec<Option<f64>>,
}
