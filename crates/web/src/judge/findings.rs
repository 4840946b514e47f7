//! Findings as problems: the open ones, and those that ended recently.
//!
//! A problem begins when its finding was opened, and its fix is the first step of the finding. What follows from another
//! problem is listed with it rather than beside it, so that a lock is one problem and not four. Of many findings of
//! one rule the worst are named and the others are counted, so that a botnet is one attack rather than a page of
//! addresses, and a thousand bloated tables do not hide a server that is down.

use std::collections::HashMap;

use schema::micros::DAY;
use schema::{Better, Severity, Timestamp, Unit};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::areas::{Impact, domain_of, impact_of, view_of};
use crate::hosts::Host;
use crate::wire::now::{Effect, Ended, Problem};

/// Most findings of one rule of a metric that are separate problems …
const KEYS_NAMED: usize = 5;
/// … and of any other rule; one more is named, too, as its count would need as much room.
const TARGETS_NAMED: usize = 1;
/// Findings read of one rule: one more than are named.
const READ: i64 = 6;
/// Longest subject in a title, characters.
const LONGEST_SUBJECT: usize = 60;
/// Most effects listed with a problem.
const EFFECTS: usize = 20;
/// How long ended findings are listed, microseconds.
const ENDED_SINCE: i64 = DAY;
/// Most of them.
const ENDED: i64 = 10;

/// Domains of findings in logs, which are not those of metrics.
const OF_LOGS: [&str; 2] = ["logs", "security"];

/// What a finding is about, open or ended.
struct About {
    rule: String,
    target: String,
    domain: String,
    severity: Severity,
    title: String,
    message: String,
    metric: Option<String>,
    fingerprint: Option<String>,
    template: Option<String>,
    opened: Timestamp,
}

impl About {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            domain: row.try_get("domain")?,
            severity: Severity::parse(row.try_get("severity")?).unwrap_or(Severity::Info),
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            metric: row.try_get("metric")?,
            fingerprint: row.try_get("fingerprint")?,
            template: row.try_get("template")?,
            opened: row.try_get::<_, Instant>("opened_at")?.0,
        })
    }

    fn is_of_logs(&self) -> bool {
        OF_LOGS.contains(&self.domain.as_str())
    }

    /// Returns whether its rule is the threshold of a metric.
    fn is_threshold(&self) -> bool {
        self.metric.as_ref() == Some(&self.rule)
    }

    /// Returns the view that shows it.
    fn view(&self) -> &'static str {
        if self.is_of_logs() {
            return "logs";
        }
        domain_of(&self.domain).map_or("collector", view_of)
    }

    /// Returns the condition in a sentence. That of a finding in logs does not name its subject, so it is
    /// added: `Password guessing over SSH: 203.0.113.9`. Patterns are named by their template.
    fn sentence(&self) -> String {
        if !self.is_of_logs() {
            return self.message.clone();
        }
        let subject = self.subject();
        if subject.is_empty() || self.title.contains(subject) {
            return self.title.clone();
        }
        format!("{}: {}", self.title, words::cut(subject, LONGEST_SUBJECT))
    }

    /// Returns the subject in words; empty when only a fingerprint is known.
    fn subject(&self) -> &str {
        let is_pattern = self.fingerprint.as_ref() == Some(&self.target);
        match &self.template {
            Some(template) if is_pattern => template,
            _ if is_pattern => "",
            _ => &self.target,
        }
    }
}

/// An open finding.
struct Open {
    about: About,
    metric_key: Option<String>,
    value: Option<f64>,
    current: Option<f64>,
    threshold: Option<f64>,
    culprit: String,
    step: String,
    command: String,
    cause: Option<(String, String)>,
    unknown_since: Option<Timestamp>,
    /// Number of further findings of its rule that were not read.
    more: i64,
}

impl Open {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let text = |column| row.try_get::<_, Option<String>>(column);
        let unknown_since: Option<Instant> = row.try_get("unknown_since")?;
        Ok(Self {
            about: About::of(row)?,
            metric_key: text("metric_key")?,
            value: row.try_get("value")?,
            current: row.try_get("current_value")?,
            threshold: row.try_get("threshold")?,
            culprit: text("culprit")?.unwrap_or_default(),
            step: text("step")?.unwrap_or_default(),
            command: text("command")?.unwrap_or_default(),
            cause: text("cause_rule")?.zip(text("cause_target")?),
            unknown_since: unknown_since.map(|at| at.0),
            more: row.try_get("more")?,
        })
    }

    fn problem(self) -> Problem {
        let about = &self.about;
        let key = match (&about.metric, self.metric_key) {
            (Some(_), key) => key,
            (None, _) => Some(about.target.clone()),
        };
        let id = match (about.is_threshold(), about.target.as_str()) {
            (true, "") => about.rule.clone(),
            (true, target) => format!("{}@{target}", about.rule),
            (false, target) => format!("finding.{}@{target}", about.rule),
        };
        let (fix, command) = match self.command.is_empty() {
            true => apart(self.step),
            false => (self.step, self.command),
        };
        // The figures of other rules belong to their sentence.
        let figure = |value: Option<f64>| value.filter(|_| about.metric.is_some());
        Problem {
            id,
            severity: about.severity,
            title: about.sentence(),
            metric: about.metric.clone().unwrap_or_default(),
            key,
            value: figure(self.value),
            current: figure(self.current),
            level: figure(self.threshold),
            since_ms: Some(about.opened.as_millis()),
            unknown_since_ms: self.unknown_since.map(Timestamp::as_millis),
            view: about.view().to_owned(),
            fix,
            cause: self.culprit,
            command,
            effects: Vec::new(),
        }
    }

    /// Returns the problem that counts this finding, the worst of them, and those that follow it.
    fn rest(self) -> Problem {
        let about = &self.about;
        let metric = about.metric.as_deref().and_then(schema::metric);
        let threshold = metric.filter(|_| about.is_threshold());
        let (id, subject) = match threshold {
            Some(_) => (format!("{}+", about.rule), about.target.as_str()),
            None => (format!("finding.{}+", about.rule), about.subject()),
        };
        let subject = words::cut(subject, LONGEST_SUBJECT);
        let worst = match (subject.as_str(), threshold.zip(self.value)) {
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
        let title = format!("{}: {} more{worst}", about.title, self.more + 1);
        let mut problem = self.problem();
        if let Some(metric) = threshold {
            metric.fix.clone_into(&mut problem.fix);
            problem.command.clear();
        }
        Problem {
            id,
            title,
            key: None,
            since_ms: None,
            unknown_since_ms: None,
            cause: String::new(),
            ..problem
        }
    }
}

/// Splits a step that ends with its only command into the text before it and the command to copy.
fn apart(step: String) -> (String, String) {
    let parts: Vec<&str> = step.split('`').collect();
    match parts.as_slice() {
        [words, command, "" | "."] if !words.trim().is_empty() => {
            ((*words).trim_end().to_owned(), (*command).to_owned())
        }
        _ => (step, String::new()),
    }
}

/// The open findings of a host that are problems.
pub(super) struct OpenFindings {
    /// Ranked, with what follows from each.
    pub(super) problems: Vec<Problem>,
    /// The worst severity by metric.
    pub(super) severities: HashMap<String, Severity>,
}

/// Reads the open findings of a host.
pub(super) async fn open(client: &Client, host: &Host) -> Result<OpenFindings, ReadError> {
    let low: Vec<String> = schema::METRICS
        .iter()
        .filter(|metric| metric.better == Better::Higher)
        .map(schema::Metric::id)
        .collect();
    let params = [
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&READ, Type::INT8),
        (&low, Type::TEXT_ARRAY),
    ];
    let fault = |source| ReadError::new("findings", source);
    let rows = client.query_typed(include_str!("../sql/open_findings.sql"), &params);
    let found = rows.await.map_err(fault)?;
    let found: Result<Vec<Open>, _> = found.iter().map(Open::of).collect();
    let found = found.map_err(fault)?;
    let mut severities: HashMap<String, Severity> = HashMap::new();
    for about in found.iter().map(|one| &one.about) {
        if let Some(metric) = &about.metric {
            let worst = severities.entry(metric.clone()).or_default();
            *worst = about.severity.max(*worst);
        }
    }
    Ok(OpenFindings {
        problems: arrange(found),
        severities,
    })
}

/// Reads the alerts of a host that ended within the last day before `at`, the newest first.
pub(super) async fn ended(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Vec<Ended>, ReadError> {
    let since = Instant(Timestamp(at.as_micros().saturating_sub(ENDED_SINCE)));
    let params = [
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&since, Type::TIMESTAMPTZ),
        (&ENDED, Type::INT8),
    ];
    let fault = |source| ReadError::new("ended findings", source);
    let rows = client.query_typed(include_str!("../sql/ended_findings.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let ended = |row: &Row| {
        let about = About::of(row)?;
        Ok(Ended {
            id: row.try_get("id")?,
            severity: about.severity,
            title: about.sentence(),
            since_ms: about.opened.as_millis(),
            ended_ms: row.try_get::<_, Instant>("resolved_at")?.0.as_millis(),
            view: about.view().to_owned(),
        })
    };
    rows.iter()
        .map(ended)
        .collect::<Result<_, _>>()
        .map_err(fault)
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
fn arrange(found: Vec<Open>) -> Vec<Problem> {
    let mut shown = fold_causes(name_worst(found));
    // Problems that count several have no known beginning and come after the others.
    shown.sort_by_cached_key(|one| {
        let problem = &one.problem;
        (
            std::cmp::Reverse(problem.severity),
            one.impact,
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
fn name_worst(found: Vec<Open>) -> Vec<Shown> {
    let mut shown = Vec::with_capacity(found.len());
    let mut rule = String::new();
    let mut named = 0;
    for one in found {
        if one.about.rule != rule {
            rule.clone_from(&one.about.rule);
            named = 0;
        }
        named += 1;
        let most = match one.about.is_threshold() {
            true => KEYS_NAMED,
            false => TARGETS_NAMED,
        };
        if named > most + 1 {
            continue;
        }
        let metric = one.about.metric.as_deref().and_then(schema::metric);
        let impact = metric.map_or(Impact::Other, impact_of);
        let is_named = named <= most || one.more == 0;
        shown.push(Shown {
            of: is_named.then(|| (one.about.rule.clone(), one.about.target.clone())),
            cause: one.cause.clone().filter(|_| is_named),
            impact,
            problem: match is_named {
                true => one.problem(),
                false => one.rest(),
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
