//! Findings as text and as JSON.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use schema::{Severity, Timestamp};
use serde_json::{Value, json};
use store::alerts::{Alert, State};

use super::{HostAlerts, Report, Verdict};
use crate::status::Presence;

/// Returns the report as lines.
pub(super) fn text(report: &Report) -> String {
    let mut out = format!("{}\n", summary(report));
    for host in &report.hosts {
        if host.presence != Presence::Running {
            let _infallible = writeln!(
                out,
                "{:9} {}: {}",
                "UNKNOWN",
                plain(&host.name),
                absence(host)
            );
        }
        for alert in &host.alerts {
            if !is_explained(host, alert) {
                line(&mut out, report.at, host, alert);
                effects(&mut out, report.at, host, alert, 0);
            }
        }
        changes(&mut out, host);
    }
    out
}

/// Most changes of a host that are listed, the newest.
const CHANGES: usize = 5;

/// Adds what was changed on a host: whether something began with it is to be seen in a snapshot.
fn changes(out: &mut String, host: &HostAlerts) {
    let newest = host.changes.iter().rev().take(CHANGES);
    for mark in newest.clone() {
        let _infallible = writeln!(
            out,
            "{:9} {}: {} ({})",
            "CHANGED",
            plain(&host.name),
            plain(&mark.text),
            clock(mark.at)
        );
    }
    if let Some(mark) = newest.clone().next() {
        let _infallible = writeln!(
            out,
            "          See what else changed then:\n          $ pqcrypta explain --at {}",
            formatted(mark.at, "%FT%T%:z")
        );
    }
}

/// Most causes between a finding and the one that explains it all; an effect of its own effect would have no end.
const DEEPEST: usize = 8;

/// Returns the listed finding that one follows from, while both last.
fn cause<'a>(host: &'a HostAlerts, alert: &Alert) -> Option<&'a Alert> {
    let (rule, target) = alert.because.as_ref()?;
    let lasts = |one: &Alert| one.resolved_at.is_none();
    let is_cause = |one: &&Alert| one.rule == *rule && one.target == *target && lasts(one);
    let found = host.alerts.iter().find(is_cause)?;
    (lasts(alert) && found.id != alert.id).then_some(found)
}

/// Returns whether a finding is below another one. Those that explain each other are not: none may be lost.
fn is_explained(host: &HostAlerts, alert: &Alert) -> bool {
    let causes = std::iter::successors(Some(alert), |one| cause(host, one));
    let count = causes.take(DEEPEST + 1).count();
    (2..=DEEPEST).contains(&count)
}

/// Adds what follows from a finding, below it: who removes the cause removes these.
fn effects(out: &mut String, at: Timestamp, host: &HostAlerts, of: &Alert, depth: usize) {
    if depth == DEEPEST {
        return;
    }
    for alert in &host.alerts {
        if cause(host, alert).is_some_and(|cause| cause.id == of.id) {
            let _infallible = writeln!(
                out,
                "          leads to {}: {} (since {}, {})",
                alert.severity.as_str(),
                plain(&alert.sentence()),
                clock(alert.opened_at),
                words::duration(seconds(alert.duration(at)))
            );
            effects(out, at, host, alert, depth + 1);
        }
    }
}

/// Longest condition in the first line, characters: monitoring systems show it in a list.
const LONGEST_CONDITION: usize = 160;

/// Returns the first line, the status line of a monitoring plugin: the verdict, how many findings there are of each
/// severity, and what decides it. What follows a bar would be performance data, so it has none.
fn summary(report: &Report) -> String {
    let count = |wanted: &dyn Fn(&HostAlerts, &Alert) -> bool| {
        let of = |host: &HostAlerts| {
            host.alerts
                .iter()
                .filter(|alert| wanted(host, alert))
                .count()
        };
        report.hosts.iter().map(of).sum::<usize>()
    };
    let firing = |severity: Severity| {
        count(&|host, alert| host.state(alert) == State::Firing && alert.severity == severity)
    };
    let unknown = count(&|host, alert| host.state(alert) == State::Unknown);
    let silent = report
        .hosts
        .iter()
        .filter(|host| host.presence != Presence::Running)
        .count();
    let parts = [
        (firing(Severity::Critical), "critical"),
        (firing(Severity::Warn), "warning"),
        (firing(Severity::Info), "info"),
        (unknown, "without data"),
    ];
    let mut parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| match word {
            "warning" => words::counted(count, word),
            word => format!("{count} {word}"),
        })
        .collect();
    if silent > 0 {
        parts.push(format!("no data from {}", words::counted(silent, "host")));
    }
    let what = match (parts.is_empty(), report.hosts.is_empty()) {
        (_, true) => "no host has stored anything yet".to_owned(),
        (true, _) => "no active alerts".to_owned(),
        _ => parts.join(", "),
    };
    let verdict = report.verdict();
    let reason = reason(report, verdict).map_or_else(String::new, |reason| {
        format!("; {}", words::cut(&reason, LONGEST_CONDITION))
    });
    let line = format!("{}: {what}{reason}", verdict.word().to_uppercase());
    plain(&line).replace('|', "/")
}

/// Returns the condition that decides the verdict.
fn reason(report: &Report, verdict: Verdict) -> Option<String> {
    let decides = |host: &&HostAlerts| verdict != Verdict::Ok && host.verdict() == verdict;
    let host = report.hosts.iter().find(decides)?;
    let condition = if verdict == Verdict::Unknown && host.presence != Presence::Running {
        absence(host)
    } else {
        let of = |alert: &&Alert| host.verdict_on(alert) == verdict;
        host.alerts.iter().find(of)?.sentence()
    };
    Some(format!("{}: {condition}", host.name))
}

/// Returns why nothing is known of a host.
fn absence(host: &HostAlerts) -> String {
    let newest = host.age_secs.map_or_else(
        || "no sample yet".to_owned(),
        |age| format!("newest sample {} ago", words::duration(age)),
    );
    match host.presence {
        Presence::Stopped => format!("the collector was stopped, {newest}"),
        _ => format!("the collector is silent, {newest}"),
    }
}

fn line(out: &mut String, at: Timestamp, host: &HostAlerts, alert: &Alert) {
    let state = host.state(alert);
    let word = match state {
        State::Firing => alert.severity.as_str(),
        State::Unknown | State::Resolved => state.as_str(),
    };
    let lasted = words::duration(seconds(alert.duration(at)));
    let time = match (state, alert.resolved_at) {
        (_, Some(ended)) => format!(
            "{}, lasted {lasted}, worst {}",
            clock(ended),
            alert.worst.as_str()
        ),
        _ => {
            let acknowledged = if alert.acknowledged {
                ", acknowledged"
            } else {
                ""
            };
            let since = clock(alert.opened_at);
            let dated = alert
                .dated(at)
                .map_or_else(String::new, |as_of| format!(", figures of {}", time(as_of)));
            format!(
                "since {since}, {lasted}{dated}, number {}{acknowledged}",
                alert.id
            )
        }
    };
    let _infallible = writeln!(
        out,
        "{:9} {}: {} ({time})",
        word.to_uppercase(),
        plain(&host.name),
        plain(&alert.sentence()),
    );
    if state == State::Resolved {
        return;
    }
    let culprit = alert.culprit.as_deref().unwrap_or_default();
    if !culprit.is_empty() && !alert.sentence().contains(culprit) {
        let _infallible = writeln!(out, "          {}", plain(culprit));
    }
    if let Some(step) = alert.steps.first() {
        let _infallible = writeln!(out, "          {}", plain(step));
    }
    let commands = alert.command.iter().map(|command| ("$", command));
    let statements = alert.action_sql.iter().map(|sql| ("SQL>", sql));
    for (prompt, text) in commands.chain(statements) {
        let _infallible = writeln!(out, "          {prompt} {}", plain(text));
    }
}

/// Removes what a terminal would act on.
fn plain(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if is_harmful(c) { ' ' } else { c })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a span of at most years")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn clock(at: Timestamp) -> String {
    formatted(at, "%F %T")
}

/// Formats an instant that is less than an hour ago.
fn time(at: Timestamp) -> String {
    formatted(at, "%T")
}

fn formatted(at: Timestamp, format: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros());
    at.map_or_else(
        |_| "an unknown time".to_owned(),
        |at| at.to_zoned(TimeZone::system()).strftime(format).to_string(),
    )
}

fn iso(at: Option<Timestamp>) -> Value {
    let at = at.and_then(|at| jiff::Timestamp::from_microsecond(at.as_micros()).ok());
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

/// Returns the report as JSON.
pub(super) fn json(report: &Report) -> String {
    let hosts = report.hosts.iter().map(|host| {
        json!({
            "host": host.name,
            "collector": host.presence.as_str(),
            "sample_age_secs": host.age_secs,
            "changes": host.changes.iter().map(|mark| json!({"at": iso(Some(mark.at)), "text": mark.text})).collect::<Vec<_>>(),
        })
    });
    let alerts = report.hosts.iter().flat_map(|host| {
        let each = |alert: &Alert| as_json(report.at, host, alert);
        host.alerts.iter().map(each).collect::<Vec<_>>()
    });
    let answer = json!({
        "status": report.verdict().word(),
        "at": iso(Some(report.at)),
        "hosts": hosts.collect::<Vec<_>>(),
        "alerts": alerts.collect::<Vec<_>>(),
    });
    format!("{answer:#}\n")
}

fn as_json(at: Timestamp, host: &HostAlerts, alert: &Alert) -> Value {
    json!({
        "host": host.name,
        "id": alert.id,
        "state": host.state(alert).as_str(),
        "severity": alert.severity.as_str(),
        "worst": alert.worst.as_str(),
        "kind": alert.kind,
        "domain": alert.domain,
        "rule": alert.rule,
        "target": alert.target,
        "metric": alert.metric,
        "metric_key": alert.metric_key,
        "title": alert.sentence(),
        "message": alert.message,
        "value": alert.value,
        "current_value": alert.current,
        "threshold": alert.threshold,
        "occurrences": alert.occurrences,
        "acknowledged": alert.acknowledged,
        "verified": alert.verified,
        "opened_at": iso(Some(alert.opened_at)),
        "as_of": iso(Some(alert.as_of)),
        "unknown_since": iso(alert.unknown_since),
        "resolved_at": iso(alert.resolved_at),
        "duration_secs": seconds(alert.duration(at)),
        "cause": alert.culprit,
        "because": alert.because.as_ref().map(|(rule, target)| json!({"rule": rule, "target": target})),
        "steps": alert.steps,
        "command": alert.command,
        "action_sql": alert.action_sql,
    })
}

/// Returns why there is no report.
pub(super) fn failure(error: &anyhow::Error, as_json: bool) -> String {
    let word = Verdict::Unknown.word();
    if as_json {
        let answer = json!({"status": word, "error": format!("{error:#}")});
        format!("{answer:#}\n")
    } else {
        format!(
            "{}: {}\n",
            word.to_uppercase(),
            plain(&format!("{error:#}"))
        )
    }
}
