//! The age of the data, and the state of the agent: what a collector cannot know of itself.

use jiff::tz::TimeZone;
use schema::micros::SECOND;
use schema::{Severity, Timestamp};

use super::{DEAD_SECS, HEARTBEAT_AGE, SILENT_COMMAND, SILENT_FIX, SILENT_SECS};
use crate::hosts::Host;
use crate::times;
use crate::wire::now::{AgentState, Freshness, FreshnessState, Problem};

/// Converts microseconds to seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of time are far below 2^53 µs"
)]
pub(super) fn secs(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// The context of a verdict, apart from a host and its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The current time.
    pub(crate) now: Timestamp,
    /// The time zone of times in sentences.
    pub(crate) zone: &'a TimeZone,
    /// The sampling interval where there is no host, seconds.
    pub(crate) interval_secs: f64,
    /// The age of the newest tick of the host, microseconds.
    pub(crate) age: Option<i64>,
}

/// Returns how old the data are.
pub(super) fn freshness(context: &Context<'_>, host: &Host) -> Freshness {
    let age = context.age;
    let state = match age {
        None => FreshnessState::Empty,
        Some(age) if age > 6 * host.interval => FreshnessState::Stale,
        Some(age) if age > 2 * host.interval => FreshnessState::Late,
        Some(_) => FreshnessState::Live,
    };
    Freshness {
        newest_ms: host.newest.map(Timestamp::as_millis),
        age_secs: age.map(|age| (secs(age) * 10.0).round() / 10.0),
        interval_secs: secs(host.interval),
        state,
    }
}

/// Returns the state of the agent, and the age of its newest heartbeat or tick.
pub(super) fn agent_state(context: &Context<'_>, host: &Host) -> (AgentState, Option<f64>) {
    let heartbeat = host
        .heartbeat
        .map(|at| (context.now.as_micros() - at.as_micros()).max(0));
    let alive = [context.age, heartbeat].into_iter().flatten().min();
    let Some(alive) = alive else {
        let state = if host.ended.is_some() {
            AgentState::Stopped
        } else if host.started.is_some() {
            AgentState::Silent
        } else {
            AgentState::Never
        };
        return (state, None);
    };
    // Without heartbeats there are only ticks, which may be far apart.
    let patience = match host.heartbeat {
        Some(_) => secs(host.interval).max(SILENT_SECS),
        None => (3.0 * secs(host.interval)).max(SILENT_SECS),
    };
    let lives_on = |ended: Timestamp| {
        let last = [host.heartbeat, host.newest].into_iter().flatten().max();
        last.is_some_and(|last| last.as_micros() > ended.as_micros() + 5 * SECOND)
    };
    let state = match host.ended {
        Some(ended) if !lives_on(ended) => AgentState::Stopped,
        _ if secs(alive) > patience => AgentState::Silent,
        _ => AgentState::Running,
    };
    (state, Some(secs(alive)))
}

/// Returns a problem without a metric, to be filled in.
pub(super) fn about(id: &str, severity: Severity, view: &str) -> Problem {
    Problem {
        id: id.to_owned(),
        severity,
        title: String::new(),
        metric: String::new(),
        key: None,
        value: None,
        current: None,
        level: None,
        since_ms: None,
        as_of_ms: None,
        unknown_since_ms: None,
        finding: None,
        view: view.to_owned(),
        fix: String::new(),
        cause: String::new(),
        command: String::new(),
        effects: Vec::new(),
    }
}

/// Returns the problem of an agent that is silent or was stopped.
pub(super) fn agent_problem(
    host: &Host,
    state: AgentState,
    silence: Option<f64>,
) -> Option<Problem> {
    match state {
        AgentState::Silent => {
            let last = [host.heartbeat, host.newest].into_iter().flatten().max();
            let is_dead = silence.is_none_or(|silence| silence >= DEAD_SECS);
            let (severity, threshold) = if is_dead {
                (Severity::Critical, DEAD_SECS)
            } else {
                (Severity::Warn, SILENT_SECS)
            };
            Some(Problem {
                title: "The collector is silent".to_owned(),
                metric: HEARTBEAT_AGE.to_owned(),
                level: silence.map(|_| threshold),
                since_ms: last.or(host.started).map(Timestamp::as_millis),
                fix: SILENT_FIX.to_owned(),
                command: SILENT_COMMAND.to_owned(),
                ..about("agent", severity, "collector")
            })
        }
        AgentState::Stopped => Some(Problem {
            title: "The collector was stopped".to_owned(),
            since_ms: host.ended.map(Timestamp::as_millis),
            fix: "Start the collector:".to_owned(),
            command: "systemctl start pqcrypta-collector".to_owned(),
            ..about("agent", Severity::Warn, "collector")
        }),
        AgentState::Running | AgentState::Never | AgentState::Unknown => None,
    }
}

/// Returns why the state is unknown, and since when.
pub(super) fn unknown_because(
    context: &Context<'_>,
    host: &Host,
    data: FreshnessState,
    agent: AgentState,
) -> Option<(String, Option<Timestamp>)> {
    let time = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| {
            format!(" {}", times::exact(at, context.now, context.zone))
        })
    };
    let last = [host.heartbeat, host.newest].into_iter().flatten().max();
    match (agent, data) {
        (AgentState::Stopped, _) => {
            let text = format!("Unknown: the collector was stopped at{}.", time(host.ended));
            Some((text, host.ended))
        }
        (AgentState::Silent, _) => {
            let since = last.or(host.started);
            let text = format!(
                "Unknown: the collector has been silent since{}.",
                time(since)
            );
            Some((text, since))
        }
        (_, FreshnessState::Empty) => Some((
            "Unknown: no sample has been stored yet.".to_owned(),
            host.started,
        )),
        (_, FreshnessState::Stale) => {
            let text = format!(
                "Unknown: no sample has been received since{}.",
                time(host.newest)
            );
            Some((text, host.newest))
        }
        _ => None,
    }
}
