//! Thresholds of the catalogue, judged with each tick from rows in memory.
//!
//! Each metric with a warning or critical threshold is a rule of the same name; one that only has an informational threshold is
//! a recommendation. Levels, ages and waits are judged by
//! their newest sample; rates and shares by their mean over the window, and only while the newest sample is bad, too: so a
//! problem ends when two samples are good, not when a window has forgotten it. Events that are a problem each
//! (`counts_events`) remain one for as long as the window has them.
//!
//! A key that is not reported any more has ended when its source still delivers (a table was dropped, a process ended),
//! and is unknown when the source is silent.

mod command;
mod culprit;
mod titles;

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Reading;
use crate::memory::{Freshness, Memory};
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::{Domain, Every, Finding, Levels, METRICS, Metric, Severity, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The share of a window that its steps cover at least: the first step in it begins before it.
const WHOLE: f64 = 0.9;
/// Most findings of one rule; the others are counted in one more. A schema with thousands of bloated tables is one task.
const MOST: usize = 100;
/// The target of the finding that counts the others; no key is called so.
const REST: &str = "*";

/// A metric with thresholds, and its rule.
#[derive(Debug)]
struct Threshold {
    metric: &'static Metric,
    rule: Rule,
    /// How often it is sampled.
    every: Every,
    /// Whether its table is sampled more often.
    is_sparse: bool,
}

impl Threshold {
    fn new(metric: &'static Metric) -> Self {
        let every = metric.every();
        Self {
            metric,
            rule: rule_of(metric),
            every,
            is_sparse: every != metric.series.table().every,
        }
    }
}

static THRESHOLDS: LazyLock<Vec<Threshold>> = LazyLock::new(|| {
    let rules = METRICS.iter().filter(|metric| is_rule(metric));
    rules.map(Threshold::new).collect()
});

/// The places in [`THRESHOLDS`] by domain and name of the metric.
static PLACES: LazyLock<HashMap<(Domain, &'static str), usize>> = LazyLock::new(|| {
    let metrics = THRESHOLDS.iter().map(|threshold| threshold.metric);
    let names = metrics.map(|metric| (metric.domain, metric.name));
    names.zip(0..).collect()
});

fn is_rule(metric: &Metric) -> bool {
    let levels = metric.levels.unwrap_or_default();
    metric.evaluated_over_secs > 0 && levels != Levels::default()
}

/// Returns the mildest severity that is reported of a metric.
fn mildest(metric: &Metric) -> Severity {
    let levels = metric.levels.unwrap_or_default();
    match levels.warn.or(levels.critical) {
        Some(_) => Severity::Warn,
        None => Severity::Info,
    }
}

/// Returns the identifier of the rule of a metric's thresholds; `None` where it is not judged by any.
pub(crate) fn rule_id(metric: &Metric) -> Option<&'static str> {
    let place = PLACES.get(&(metric.domain, metric.name))?;
    Some(THRESHOLDS[*place].rule.id)
}

/// Returns the command or statement to copy for a metric and key; `None` where there is none.
pub(crate) fn command_of(metric: &Metric, key: &str) -> Option<String> {
    command::of(&metric.id(), (!key.is_empty()).then_some(key))
}

/// Rules whose findings explain those of a metric of the same subject.
const BECAUSE: &[(&str, &[&str])] = &[
    ("db.conn_waiting", &["db.longest_lock_wait_secs"]),
    (
        "db.slow_queries",
        &["db.longest_lock_wait_secs", "db.longest_query_secs"],
    ),
    ("db.longest_query_secs", &["db.longest_lock_wait_secs"]),
    (
        "db.oldest_xact_secs",
        &["db.oldest_idle_in_xact_secs", "db.longest_lock_wait_secs"],
    ),
    (
        "db.oldest_idle_in_xact_secs",
        &["db.longest_lock_wait_secs"],
    ),
    (
        "system.load_per_core",
        &[
            "system.cpu_busy_pct",
            "system.cpu_iowait_pct",
            "io_pressure",
        ],
    ),
    ("system.pressure_cpu_some_pct", &["system.cpu_busy_pct"]),
    ("system.cpu_iowait_pct", &["system.pressure_io_full_pct"]),
    ("disk.busy_pct", &["system.pressure_io_full_pct"]),
    ("db.conn_used_pct", &["connection_leak"]),
    (
        "table.dead_pct",
        &["vacuum_overdue", "check.autovacuum_queue"],
    ),
    ("target.bad_values", &["target.up"]),
    ("target.unfilled_pct", &["target.up"]),
    ("api.error_pct", &["target.up"]),
    ("api.p99_ms", &["target.up", "api.p95_ms"]),
    ("api.p95_ms", &["target.up"]),
    ("proxy.error_pct", &["target.up"]),
    ("collector.pending_records", &["collector.db_healthy"]),
    ("collector.spool_used_pct", &["collector.db_healthy"]),
];

/// Metrics of sessions: explained only where the session that is to blame takes part in the waiting.
const OF_SESSIONS: [&str; 4] = [
    "db.slow_queries",
    "db.longest_query_secs",
    "db.oldest_xact_secs",
    "db.oldest_idle_in_xact_secs",
];

fn rule_of(metric: &'static Metric) -> Rule {
    let id: &'static str = metric.id().leak();
    let because = BECAUSE.iter().find(|(of, _)| *of == id);
    Rule {
        id,
        kind: match mildest(metric) {
            Severity::Info => Kind::Recommendation,
            _ => Kind::Alert,
        },
        domain: metric.domain.as_str(),
        title: metric.label,
        life: Life::sampled(metric.confirm_secs).no_data(NoData::Keep),
        because: because.map_or(&[], |(_, rules)| rules),
    }
}

/// Judges thresholds.
#[derive(Debug, Default)]
pub struct Thresholds {
    /// By place in [`THRESHOLDS`]: the newest sample that was judged.
    judged: Vec<Timestamp>,
}

/// A threshold that was reached.
struct Reached {
    key: Option<String>,
    severity: Severity,
    threshold: f64,
    value: f64,
    current: Option<f64>,
    /// Of counted events their number.
    count: Option<f64>,
}

impl Judge for Thresholds {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        THRESHOLDS.iter().map(|threshold| &threshold.rule)
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        self.judged.resize(THRESHOLDS.len(), Timestamp::default());
        let read = read(facts.memory, open, at, &mut evaluation.unchanged);
        for ((threshold, seen), judged) in THRESHOLDS.iter().zip(read).zip(&mut self.judged) {
            let silent = silent(threshold, &seen, &facts, open, at);
            if seen.newest <= *judged {
                keep(&threshold.rule, silent, open, &mut evaluation);
                continue;
            }
            *judged = seen.newest;
            evaluation.rules.push(&threshold.rule);
            evaluation.absent.extend(silent);
            let found = findings(threshold, seen.reached, facts.memory, facts.rows, open);
            evaluation.found.extend(found);
        }
        evaluation
    }
}

/// What was read of a rule's metric.
#[derive(Default)]
struct Seen {
    /// The newest sample of any key.
    newest: Timestamp,
    /// Targets of open findings that have a sample.
    open: HashSet<String>,
    reached: Vec<Reached>,
}

/// Reads every metric once and returns what was seen of each of [`THRESHOLDS`]. Open findings that cannot be judged yet
/// go to `young`.
fn read(
    memory: &mut Memory,
    open: &Lifecycle,
    at: Timestamp,
    young: &mut Vec<(&'static str, String)>,
) -> Vec<Seen> {
    let mut read: Vec<Seen> = Vec::new();
    read.resize_with(THRESHOLDS.len(), Seen::default);
    let (live, fresh) = memory.parts();
    live.read(at, |metric, readings| {
        let Some(place) = PLACES.get(&(metric.domain, metric.name)) else {
            return;
        };
        let (threshold, seen) = (&THRESHOLDS[*place], &mut read[*place]);
        let rule = &threshold.rule;
        let has_open = open.targets(rule.id).next().is_some();
        for reading in readings {
            let Some(sampled_at) = reading.sampled_at else {
                continue;
            };
            seen.newest = sampled_at.max(seen.newest);
            if has_gone(threshold, reading.key, sampled_at, fresh) {
                continue;
            }
            let target = reading.key.unwrap_or_default();
            let held = has_open.then(|| open.severity(rule.id, target)).flatten();
            if held.is_some() {
                seen.open.insert(target.to_owned());
            }
            if !is_too_young(&reading, held) {
                seen.reached.extend(reach(&reading, held));
            } else if held.is_some() {
                young.push((rule.id, target.to_owned()));
            }
        }
    });
    read
}

/// Returns the open findings of a rule whose source is silent. A key without a sample whose source goes on is gone.
fn silent(
    threshold: &Threshold,
    seen: &Seen,
    facts: &TickFacts<'_>,
    open: &Lifecycle,
    at: Timestamp,
) -> Vec<(&'static str, String)> {
    let Threshold { metric, rule, .. } = threshold;
    let interval = facts.intervals.of(metric.domain.is_of_service());
    let every = threshold.every.micros(interval);
    let fresh = &facts.memory.freshness;
    open.targets(rule.id)
        .filter(|target| !seen.open.contains(*target) && *target != REST)
        .filter(|target| fresh.is_silent(metric.series.table(), target, every, at))
        .map(|target| (rule.id, target.to_owned()))
        .collect()
}

/// Leaves the open findings of a rule as they are, as there is no new sample; of those whose source is silent, it is
/// unknown whether they hold.
fn keep(
    rule: &'static Rule,
    silent: Vec<(&'static str, String)>,
    open: &Lifecycle,
    evaluation: &mut Evaluation,
) {
    let mut targets = open.targets(rule.id).peekable();
    if targets.peek().is_none() {
        return;
    }
    let is_silent = |target: &&str| silent.iter().any(|(_, one)| one == target);
    let unchanged = targets.filter(|target| !is_silent(target));
    let unchanged = unchanged.map(|target| (rule.id, target.to_owned()));
    evaluation.unchanged.extend(unchanged);
    evaluation.rules.push(rule);
    evaluation.absent.extend(silent);
}

/// Returns whether a counter has not been sampled for long enough to tell: a mean over a minute needs half of it, and
/// that no event is left in the window is known when the window has passed. So after a start nothing is opened for one
/// bad interval, and what was open is not resolved for lack of memory.
fn is_too_young(reading: &Reading<'_>, held: Option<Severity>) -> bool {
    let window = f64::from(reading.metric.evaluated_over_secs);
    let Some(covered) = reading.covered_secs else {
        return false;
    };
    if reading.metric.counts_events {
        let is_reached = reach(reading, None).is_some();
        held.is_some() && !is_reached && covered < window * WHOLE
    } else {
        covered < window / 2.0
    }
}

/// Returns the threshold that a reading has reached, or has not left.
fn reach(reading: &Reading<'_>, held: Option<Severity>) -> Option<Reached> {
    let metric = reading.metric;
    let judged = if metric.is_windowed() {
        reading.recent
    } else {
        reading.now
    };
    let value = words::round(judged?);
    let (severity, threshold) = metric.reached_from(value, held)?;
    if severity < mildest(metric) {
        return None;
    }
    let current = reading.now.map(words::round);
    if metric.is_windowed() && !metric.counts_events {
        // The window may still remember what has ended.
        let levels = metric.levels?;
        let least = levels.warn.or(levels.critical).or(levels.info)?;
        let is_bad = current.is_some_and(|current| match held {
            Some(_) => metric.clings(least, current),
            None => metric.severity(Some(current)) >= mildest(metric),
        });
        if !is_bad {
            return None;
        }
    }
    Some(Reached {
        key: reading.key.map(str::to_owned),
        severity,
        threshold,
        value,
        count: reading.covered_secs.map(|secs| value * secs),
        current: current.filter(|current| metric.is_windowed() && *current != value),
    })
}

/// Returns whether the newest sample of its source is without a key that the window still has. Figures that are not
/// filled with each sample are known only as of the last one that has them.
fn has_gone(
    threshold: &Threshold,
    key: Option<&str>,
    sampled_at: Timestamp,
    fresh: &Freshness,
) -> bool {
    let table = threshold.metric.series.table();
    !threshold.is_sparse && fresh.is_newer(table, key.unwrap_or_default(), sampled_at)
}

/// Returns the findings of a rule: the open ones and the worst, the others counted in one.
fn findings(
    threshold: &'static Threshold,
    mut reached: Vec<Reached>,
    memory: &Memory,
    rows: &[&[schema::Row]],
    open: &Lifecycle,
) -> Vec<Finding> {
    let Threshold { metric, rule, .. } = threshold;
    let is_open = |one: &Reached| {
        open.severity(rule.id, one.key.as_deref().unwrap_or_default())
            .is_some()
    };
    let mut rest = Vec::new();
    if reached.len() > MOST {
        let badness = |one: &Reached| match metric.better {
            schema::Better::Higher => -one.value,
            _ => one.value,
        };
        reached.sort_by(|a, b| {
            let by_severity = b.severity.cmp(&a.severity);
            is_open(b)
                .cmp(&is_open(a))
                .then(by_severity)
                .then(badness(b).total_cmp(&badness(a)))
        });
        rest = reached.split_off(MOST);
    }
    let mut found: Vec<Finding> = reached
        .iter()
        .map(|one| finding(metric, rule, one, memory, rows))
        .collect();
    if let Some(worst) = rest.first() {
        let message = titles::rest(metric, rest.len(), worst.key.as_deref(), worst.value);
        found.push(Finding {
            metric: Some(rule.id.to_owned()),
            steps: vec![metric.fix.to_owned()],
            details: Some(serde_json::json!({"more": rest.len()}).to_string()),
            ..rule.finding(REST, worst.severity, message)
        });
    }
    found
}

fn finding(
    metric: &'static Metric,
    rule: &'static Rule,
    one: &Reached,
    memory: &Memory,
    rows: &[&[schema::Row]],
) -> Finding {
    let key = one.key.as_deref();
    let mut culprit = culprit::of(metric, key, one.current.unwrap_or(one.value), memory, rows);
    let instance = key.unwrap_or_default();
    let is_lock = matches!(rule.id, "db.longest_lock_wait_secs" | "db.conn_waiting");
    let waited = (rule.id == "db.longest_lock_wait_secs").then_some(one.value);
    let blocking = is_lock
        .then(|| memory.sessions.blocking(instance, waited))
        .flatten();
    // The cause begins with the sentence that is the message.
    let sentence = memory.sessions.blocking(instance, None).filter(|_| is_lock);
    let rest = sentence.and_then(|sentence| {
        let rest = culprit.cause.strip_prefix(&sentence)?;
        Some(rest.trim_start_matches(". ").to_owned())
    });
    if let Some(rest) = rest {
        culprit.cause = rest;
    }
    let mut message = blocking.unwrap_or_else(|| titles::title(metric, key, one.value, one.count));
    if let Some(current) = one.current.filter(|_| !metric.counts_events) {
        let current = words::value(current, metric.unit);
        if !message.contains(&current) {
            message = format!("{message}; last {current}");
        }
    }
    // The transaction of a session that is idle in it has the same age, nearly.
    let idle = memory.sessions.idle(instance);
    let is_idle = rule.id == "db.oldest_xact_secs"
        && idle.is_some_and(|idle| idle.command == culprit.command);
    let is_alone = OF_SESSIONS.contains(&rule.id)
        && !is_idle
        && !memory.sessions.is_waiting(instance, &culprit.command);
    let is_sql = culprit.command.ends_with(';');
    let (command, action_sql) = match culprit.command {
        none if none.is_empty() => (None, None),
        sql if is_sql => (None, Some(sql)),
        command => (Some(command), None),
    };
    let details = (!culprit.cause.is_empty())
        .then(|| serde_json::json!({"cause": culprit.cause}).to_string());
    Finding {
        steps: vec![culprit.fix],
        command,
        action_sql,
        metric: Some(rule.id.to_owned()),
        metric_key: one.key.clone(),
        figures: Figures {
            current: one.current,
            threshold: Some(one.threshold),
            ..Figures::of(one.value)
        },
        details,
        stands_alone: is_alone,
        ..rule.finding(key.unwrap_or_default(), one.severity, message)
    }
}

#[cfg(test)]
mod tests;
