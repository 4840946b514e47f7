//! Findings as problems: the open ones, and those that ended recently.
//!
//! A problem begins when its finding was opened, and its fix is the first step of the finding. What follows from another
//! problem is listed with it rather than beside it, so that a lock is one problem and not four. Of many findings of
//! one rule the worst are named and the others are counted, so that a botnet is one attack rather than a page of
//! addresses, and a thousand bloated tables do not hide a server that is down.

use std::collections::HashMap;

use schema::finding::{CORRELATION, Kind};
use schema::micros::{DAY, HOUR, MINUTE};
use schema::{Severity, Timestamp, Unit};
use snapshot::marks::{Mark, marks};
use store::alerts::{self, Alert, State};
use store::series::ReadError;
use tokio_postgres::Client;

use crate::areas::{Impact, domain_of, impact_of, view_of};
use crate::hosts::Host;
use crate::wire::now::{Badge, Changed, Effect, Ended, Problem};

/// Most findings of one rule of a metric that are separate problems …
const KEYS_NAMED: usize = 5;
/// … and of any other rule; one more is named, too, as its count would need as much room.
const TARGETS_NAMED: usize = 1;
/// Findings read of one rule: one more than are named.
pub(super) const READ: i64 = 6;
/// Longest subject in a title, and longest texts, characters.
const LONGEST_SUBJECT: usize = 60;
const LONGEST_TITLE: usize = 300;
const LONGEST_TEXT: usize = 400;
/// Most effects listed with a problem.
const EFFECTS: usize = 20;
/// How long ended findings are listed, microseconds.
const ENDED_SINCE: i64 = DAY;
/// Most of them.
const ENDED: i64 = 10;
/// How long changes of the host are listed, microseconds, and most of them.
const CHANGED_SINCE: i64 = HOUR;
const CHANGED: usize = 5;
/// What ends is an alert; what is unusual in logs only becomes old.
const ENDS: &[&str] = &[Kind::Alert.as_str()];
/// Returns the view that shows what a finding is about.
fn view(alert: &Alert) -> &'static str {
    if alert.is_of_lines() {
        return "logs";
    }
    if alert.is_incident() {
        return "insights";
    }
    domain_of(&alert.domain).map_or("collector", view_of)
}

/// Returns the condition in a sentence.
fn title(alert: &Alert) -> String {
    words::cut(&alert.sentence(), LONGEST_TITLE)
}

/// Converts a finding.
fn problem(alert: Alert) -> Problem {
    let key = match &alert.metric {
        Some(_) => alert.metric_key.clone(),
        None if alert.is_incident() => None,
        None => Some(alert.target.clone()),
    };
    let id = match (alert.is_threshold(), alert.target.as_str()) {
        (true, "") => alert.rule.clone(),
        (true, target) => format!("{}@{target}", alert.rule),
        (false, target) => format!("finding.{}@{target}", alert.rule),
    };
    let text = |text: &str| words::cut(text, LONGEST_TEXT);
    let step = alert.steps.first().map_or("", String::as_str);
    let command = alert.command.as_ref().or(alert.action_sql.as_ref());
    let (fix, command) = match command {
        None => apart(step),
        Some(command) => (step.to_owned(), command.clone()),
    };
    // The figures of other rules belong to their sentence.
    let has_figures = alert.metric.is_some() && alert.has_figures();
    let figure = |value: Option<f64>| value.filter(|_| has_figures);
    Problem {
        id,
        severity: alert.severity,
        title: title(&alert),
        key,
        value: figure(alert.value),
        current: figure(alert.current),
        level: figure(alert.threshold),
        since_ms: Some(alert.opened_at.as_millis()),
        as_of_ms: Some(alert.as_of.as_millis()),
        unknown_since_ms: alert.unknown_since.map(Timestamp::as_millis),
        finding: Some(alert.id.to_string()),
        view: view(&alert).to_owned(),
        fix: text(&fix),
        cause: text(alert.culprit.as_deref().unwrap_or_default()),
        // A truncated command is useless.
        command: Some(command)
            .filter(|command| command.chars().count() <= LONGEST_TEXT)
            .unwrap_or_default(),
        metric: alert.metric.unwrap_or_default(),
        effects: Vec::new(),
    }
}

/// Returns the problem that counts this finding, the worst of them, and the `more` that follow it.
fn rest(alert: Alert, more: i64) -> Problem {
    let metric = alert.metric.as_deref().and_then(schema::metric);
    let threshold = metric.filter(|_| alert.is_threshold());
    let id = match threshold {
        Some(_) => format!("{}+", alert.rule),
        None => format!("finding.{}+", alert.rule),
    };
    let subject = words::cut(alert.subject(), LONGEST_SUBJECT);
    let worst = match (subject.as_str(), threshold.zip(alert.value)) {
        ("", _) => String::new(),
        (subject, Some((metric, _))) if metric.unit == Unit::Bool => {
            format!(", one of them {subject}")
        }
        (subject, Some((metric, value))) => {
            let value = words::value(value, metric.unit);
            format!(", the worst {subject} with {value}")
        }
        (subject, None) => format!(", the worst {subject}"),
    };
    let title = format!("{}: {} more{worst}", alert.title, more + 1);
    let mut problem = problem(alert);
    if let Some(metric) = threshold {
        metric.fix.clone_into(&mut problem.fix);
        problem.command.clear();
    }
    Problem {
        id,
        title,
        key: None,
        since_ms: None,
        as_of_ms: None,
        unknown_since_ms: None,
        finding: None,
        cause: String::new(),
        ..problem
    }
}

/// Splits a step that ends with its only command into the text before it and the command to copy.
fn apart(step: &str) -> (String, String) {
    let parts: Vec<&str> = step.split('`').collect();
    match parts.as_slice() {
        [words, command, "" | "."] if !words.trim().is_empty() => {
            ((*words).trim_end().to_owned(), (*command).to_owned())
        }
        _ => (step.to_owned(), String::new()),
    }
}

/// The findings of a host, as the first page shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// Ranked, with what follows from each.
    pub(super) problems: Vec<Problem>,
    /// The worst severity by metric.
    pub(super) severities: HashMap<String, Severity>,
    /// The alerts that ended within the last day, the newest first.
    pub(super) ended: Vec<Ended>,
    /// What was changed on the host within the last hour, the newest first.
    pub(super) changes: Vec<Changed>,
    /// What the view of alerts lists as active: warnings and worse.
    pub(super) active: Badge,
}

/// Reads the findings of a host at its newest sample.
pub(super) async fn read(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Findings, ReadError> {
    let since = Timestamp(at.as_micros().saturating_sub(ENDED_SINCE));
    let kinds = Kind::ALL.map(Kind::as_str);
    let changed = (
        Timestamp(at.as_micros().saturating_sub(CHANGED_SINCE)),
        Timestamp(at.as_micros().saturating_add(MINUTE)),
    );
    let (found, ended, active, changes) = tokio::try_join!(
        alerts::worst(client, host.id, at, READ),
        alerts::ended(client, host.id, since, ENDS, ENDED),
        alerts::active(client, host.id, at, &kinds),
        marks(client, host.id, changed.0, changed.1),
    )?;
    let mut severities: HashMap<String, Severity> = HashMap::new();
    for (alert, _) in &found {
        if let Some(metric) = &alert.metric {
            let worst = severities.entry(metric.clone()).or_default();
            *worst = alert.severity.max(*worst);
        }
    }
    Ok(Findings {
        problems: arrange(found),
        severities,
        ended: ended.iter().map(as_ended).collect(),
        changes: changes
            .into_iter()
            .rev()
            .take(CHANGED)
            .map(as_changed)
            .collect(),
        active: badge(&active),
    })
}

fn as_changed(mark: Mark) -> Changed {
    Changed {
        at_ms: mark.at.as_millis(),
        text: words::cut(&mark.text, LONGEST_TITLE),
        severity: mark.severity,
    }
}

fn as_ended(alert: &Alert) -> Ended {
    Ended {
        id: alert.id.to_string(),
        severity: alert.worst,
        title: title(alert),
        since_ms: alert.opened_at.as_millis(),
        ended_ms: alert.resolved_at.unwrap_or(alert.seen_at).as_millis(),
        view: view(alert).to_owned(),
    }
}

fn badge(active: &[alerts::Active]) -> Badge {
    let problems = || active.iter().filter(|one| one.severity.is_problem());
    let severities = problems().map(|one| match one.state {
        State::Firing => one.severity,
        State::Unknown | State::Resolved => Severity::Unknown,
    });
    let count: i64 = problems().map(|one| one.count).sum();
    Badge::new(
        severities.max().unwrap_or(Severity::Ok),
        usize::try_from(count).unwrap_or_default(),
    )
}

/// A problem that is shown, and its place among the others.
struct Shown {
    /// Rule and target; `None` where it counts several.
    of: Option<(String, String)>,
    /// Rule and target of what it follows from.
    cause: Option<(String, String)>,
    impact: Impact,
    problem: Problem,
}

/// Converts findings, of each rule the worst first, into problems, ranked.
pub(super) fn arrange(found: Vec<(Alert, i64)>) -> Vec<Problem> {
    let mut shown = fold_causes(name_worst(found));
    // Problems that count several have no known beginning and come after the others.
    shown.sort_by_cached_key(|one| {
        let problem = &one.problem;
        (
            one.impact,
            std::cmp::Reverse(problem.severity),
            problem.since_ms.is_none(),
            problem.since_ms,
            problem.id.clone(),
        )
    });
    let mut problems: Vec<Problem> = shown.into_iter().map(|one| one.problem).collect();
    shorten(&mut problems);
    problems
}

/// Names the worst findings of each rule, and counts the others in one problem.
fn name_worst(found: Vec<(Alert, i64)>) -> Vec<Shown> {
    let mut shown = Vec::with_capacity(found.len());
    let mut rule = String::new();
    let mut named = 0;
    for (alert, more) in found {
        if alert.rule != rule {
            rule.clone_from(&alert.rule);
            named = 0;
        }
        named += 1;
        let most = match alert.is_threshold() || alert.is_incident() {
            true => KEYS_NAMED,
            false => TARGETS_NAMED,
        };
        if named > most + 1 {
            continue;
        }
        let metric = alert.metric.as_deref().and_then(schema::metric);
        let impact = impact_of(&alert.rule, metric);
        let is_named = named <= most || more == 0;
        // Those that are counted belong to the same incident as the worst of them.
        let is_member = |(rule, _): &(String, String)| rule == CORRELATION;
        shown.push(Shown {
            of: is_named.then(|| (alert.rule.clone(), alert.target.clone())),
            cause: alert.because.clone().filter(|of| is_named || is_member(of)),
            impact,
            problem: match is_named {
                true => problem(alert),
                false => rest(alert, more),
            },
        });
    }
    shown
}

/// Lists what follows from another problem with that one, which is then as severe and as urgent.
fn fold_causes(shown: Vec<Shown>) -> Vec<Shown> {
    let places: HashMap<&(String, String), usize> = shown
        .iter()
        .enumerate()
        .filter_map(|(at, one)| Some((one.of.as_ref()?, at)))
        .collect();
    let cause_of = |at: usize| places.get(shown[at].cause.as_ref()?).copied();
    let roots: Vec<usize> = (0..shown.len())
        .map(|at| {
            let mut root = at;
            for _ in 0..shown.len() {
                match cause_of(root) {
                    Some(cause) => root = cause,
                    None => return root,
                }
            }
            // They explain each other: neither hides the other.
            at
        })
        .collect();
    let mut kept: Vec<Option<Shown>> = shown.into_iter().map(Some).collect();
    for (at, root) in roots.into_iter().enumerate() {
        if root == at {
            continue;
        }
        let Some(effect) = kept[at].take() else {
            continue;
        };
        if let Some(cause) = kept[root].as_mut() {
            cause.impact = cause.impact.min(effect.impact);
            cause.problem.severity = cause.problem.severity.max(effect.problem.severity);
            cause.problem.effects.push(Effect::from(effect.problem));
        }
    }
    let mut kept: Vec<Shown> = kept.into_iter().flatten().collect();
    for one in &mut kept {
        let effects = &mut one.problem.effects;
        effects.sort_by_key(|effect| std::cmp::Reverse(effect.severity));
        effects.truncate(EFFECTS);
    }
    kept
}

/// Describes a cause that several problems share once, with the first of them.
fn shorten(problems: &mut [Problem]) {
    let mut named: HashMap<(String, String), (String, String)> = HashMap::new();
    for problem in problems {
        // A cause with a command concerns what the command names.
        if problem.cause.is_empty() || problem.command.is_empty() {
            continue;
        }
        let cause = (problem.cause.clone(), problem.command.clone());
        if let Some((title, fix)) = named.get(&cause) {
            problem.cause = format!("Same cause as “{title}”.");
            problem.command.clear();
            // The fix that introduces the command goes with it.
            if problem.fix == *fix {
                problem.fix.clear();
            }
        } else {
            named.insert(cause, (problem.title.clone(), problem.fix.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
