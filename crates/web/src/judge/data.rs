//! The age of the data, the state of the agent, and problems of the data themselves.

use jiff::tz::TimeZone;
use schema::micros::SECOND;
use schema::{Severity, Timestamp};

use super::{DEAD_SECS, HEARTBEAT_AGE, SILENT_COMMAND, SILENT_FIX, SILENT_SECS};
use crate::hosts::{Blocked, Host};
use crate::times;
use crate::wire::now::{AgentState, Freshness, FreshnessState, Problem};

/// From this far ahead of the server's clock on, a tick means that one of the clocks is wrong.
const AHEAD: i64 = 30 * SECOND;

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
        unknown_since_ms: None,
        view: view.to_owned(),
        fix: String::new(),
        cause: String::new(),
        command: String::new(),
        effects: Vec::new(),
    }
}

/// Returns the problems of the data themselves.
pub(super) fn about_data(
    host: &Host,
    state: AgentState,
    silence: Option<f64>,
    now: Timestamp,
) -> Vec<Problem> {
    let mut found = Vec::new();
    found.extend(agent_problem(host, state, silence));
    found.extend(clock_problem(host, now));
    found.extend(host.blocked.as_ref().map(blocked_problem));
    if host.gaps > 0 {
        found.push(within_hour(
            "gaps",
            host.gaps,
            ("gap in the data", "gaps in the data"),
            "The Collector view lists time range and reason of each gap.",
        ));
    }
    if host.dead_letters > 0 {
        found.push(within_hour(
            "dead_letters",
            host.dead_letters,
            (
                "row rejected by the database",
                "rows rejected by the database",
            ),
            "The Collector view lists each row with its error under Dead letters.",
        ));
    }
    found
}

/// Returns the problem of an agent that is silent or was stopped.
fn agent_problem(host: &Host, state: AgentState, silence: Option<f64>) -> Option<Problem> {
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
        AgentState::Running | AgentState::Never => None,
    }
}

/// Returns the problem of a host whose clock differs from that of the database server or of this one.
fn clock_problem(host: &Host, now: Timestamp) -> Option<Problem> {
    if let Some((ahead, since)) = host.clock {
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        return Some(Problem {
            title: format!(
                "The host's clock is {} {way} the database server's",
                words::duration(ahead.abs())
            ),
            since_ms: Some(since.as_millis()),
            fix: "Check the time service on both: timedatectl status. Until the clocks agree this host \
                  expires no data."
                .to_owned(),
            ..about("clock", Severity::Warn, "system")
        });
    }
    let ahead = host.newest?.as_micros() - now.as_micros();
    (ahead > AHEAD).then(|| Problem {
        // The figure changes with every request; minutes are precise enough.
        title: format!(
            "The host's clock is {} ahead of this server's",
            words::duration(secs(ahead))
        ),
        fix: "Check the time service on both hosts:".to_owned(),
        command: "timedatectl status".to_owned(),
        ..about("clock", Severity::Warn, "system")
    })
}

/// Returns the problem of log sources whose lines cannot be stored.
#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn blocked_problem(blocked: &Blocked) -> Problem {
    let logs = words::counted(blocked.sources as usize, "log");
    Problem {
        title: format!("Lines of {logs} cannot be stored"),
        value: Some(blocked.sources as f64),
        since_ms: blocked.since.map(Timestamp::as_millis),
        fix: format!(
            "{}. The lines wait in their logs; see the collector's log: journalctl -u pqcrypta-collector.",
            sentence(&blocked.cause)
        ),
        ..about("logs_blocked", Severity::Warn, "logs")
    }
}

/// Returns the problem of a count within the last hour; `things`: singular and plural.
#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
fn within_hour(id: &str, count: i64, things: (&str, &str), fix: &str) -> Problem {
    let thing = if count == 1 { things.0 } else { things.1 };
    Problem {
        title: format!("{count} {thing} within the last hour"),
        value: Some(count as f64),
        fix: fix.to_owned(),
        ..about(id, Severity::Warn, "collector")
    }
}

/// Capitalizes a text and removes its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first
        .map(|first| first.chain(chars).collect())
        .unwrap_or_default()
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
