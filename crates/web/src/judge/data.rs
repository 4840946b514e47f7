//! How old the data are, what the agent does, and what is wrong with the data themselves.

use jiff::tz::TimeZone;
use schema::micros::SECOND;
use schema::{Severity, Timestamp};

use super::{DEAD_SECS, HEARTBEAT_AGE, SILENT_COMMAND, SILENT_FIX, SILENT_SECS};
use crate::hosts::Host;
use crate::wire::now::{AgentState, Freshness, FreshnessState, Problem};
use crate::words;

/// Ticks this much ahead of the server's clock say that one of the clocks is wrong.
const AHEAD: i64 = 30 * SECOND;

/// Microseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of time are far below 2^53 µs"
)]
pub(super) fn secs(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// What a verdict depends on beside a host and its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The instant.
    pub(crate) now: Timestamp,
    /// The zone of times within sentences.
    pub(crate) zone: &'a TimeZone,
    /// The sampling interval where there is no host, seconds.
    pub(crate) interval_secs: f64,
    /// How old the newest tick of the host is, microseconds.
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

/// Returns what the agent does, and the age of its newest sign of life. A tick is one too.
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
    // Without heartbeats only ticks tell, and these may be far apart.
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

/// A problem that is no metric's, to be filled in.
pub(super) fn about(id: &str, severity: Severity, view: &str) -> Problem {
    Problem {
        id: id.to_owned(),
        severity,
        title: String::new(),
        metric: String::new(),
        key: None,
        value: None,
        level: None,
        since_ms: None,
        view: view.to_owned(),
        fix: String::new(),
        cause: String::new(),
        command: String::new(),
    }
}

/// What is wrong with the data themselves.
#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
pub(super) fn about_data(
    host: &Host,
    state: AgentState,
    silence: Option<f64>,
    now: Timestamp,
) -> Vec<Problem> {
    let mut found = Vec::new();
    let last = [host.heartbeat, host.newest].into_iter().flatten().max();
    if state == AgentState::Silent {
        let level = silence.map(|silence| {
            if silence >= DEAD_SECS {
                DEAD_SECS
            } else {
                SILENT_SECS
            }
        });
        let critical = level.is_none_or(|level| level >= DEAD_SECS);
        found.push(Problem {
            title: "The collector is silent".to_owned(),
            metric: HEARTBEAT_AGE.to_owned(),
            level,
            since_ms: last.or(host.started).map(Timestamp::as_millis),
            fix: SILENT_FIX.to_owned(),
            command: SILENT_COMMAND.to_owned(),
            ..about(
                "agent",
                if critical {
                    Severity::Critical
                } else {
                    Severity::Warn
                },
                "collector",
            )
        });
    }
    if state == AgentState::Stopped {
        found.push(Problem {
            title: "The collector was stopped".to_owned(),
            since_ms: host.ended.map(Timestamp::as_millis),
            fix: "Start the collector:".to_owned(),
            command: "systemctl start pqcrypta-collector".to_owned(),
            ..about("agent", Severity::Warn, "collector")
        });
    }
    if let Some((ahead, since)) = host.clock {
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        found.push(Problem {
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
    } else if let Some(newest) = host
        .newest
        .filter(|newest| newest.as_micros() > now.as_micros() + AHEAD)
    {
        let ahead = secs(newest.as_micros() - now.as_micros());
        found.push(Problem {
            // The figure itself moves with every question; minutes are enough to act on.
            title: format!(
                "The host's clock is {} ahead of this server's",
                words::duration(ahead)
            ),
            fix: "Check the time service on both hosts:".to_owned(),
            command: "timedatectl status".to_owned(),
            ..about("clock", Severity::Warn, "system")
        });
    }
    if let Some(blocked) = &host.blocked {
        let logs = words::counted(blocked.sources as usize, "log");
        found.push(Problem {
            title: format!("Lines of {logs} cannot be stored"),
            value: Some(blocked.sources as f64),
            since_ms: blocked.since.map(Timestamp::as_millis),
            fix: format!(
                "{}. The lines wait in their logs; see the collector's log: journalctl -u pqcrypta-collector.",
                sentence(&blocked.cause)
            ),
            ..about("logs_blocked", Severity::Warn, "logs")
        });
    }
    let hour = |id: &str, count: i64, one: &str, many: &str, fix: &str| Problem {
        title: format!(
            "{count} {} within the last hour",
            if count == 1 { one } else { many }
        ),
        value: Some(count as f64),
        fix: fix.to_owned(),
        ..about(id, Severity::Warn, "collector")
    };
    if host.gaps > 0 {
        let fix = "The Collector view lists time range and reason of each gap.";
        found.push(hour(
            "gaps",
            host.gaps,
            "gap in the data",
            "gaps in the data",
            fix,
        ));
    }
    if host.dead_letters > 0 {
        let fix = "The Collector view lists each row with its error under Dead letters.";
        let (one, many) = (
            "row rejected by the database",
            "rows rejected by the database",
        );
        found.push(hour("dead_letters", host.dead_letters, one, many, fix));
    }
    found
}

/// A text as a sentence, without its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first
        .map(|first| first.chain(chars).collect())
        .unwrap_or_default()
}

/// Why nothing can be said, with the instant since when.
pub(super) fn unknown_because(
    context: &Context<'_>,
    host: &Host,
    data: FreshnessState,
    agent: AgentState,
) -> Option<(String, Option<Timestamp>)> {
    let time = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| {
            format!(" {}", words::exact(at, context.now, context.zone))
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
