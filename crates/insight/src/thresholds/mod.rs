//! Thresholds of the catalogue, judged with each tick from rows in memory.
//!
//! Each metric with a warning or critical threshold is a rule of the same name. Levels, ages and waits are judged by
//! their newest sample; rates and shares by their mean over the window, and only while the newest sample is bad, too: so a
//! problem ends when two samples are good, not when a window has forgotten it. Events that are a problem each
//! (`counts_events`) remain one for as long as the window has them.
//!
//! A key that is not reported any more has ended when its source still delivers (a table was dropped, a process ended),
//! and is unknown when the source is silent.

mod command;
mod culprit;
mod titles;

use crate::judge::{Judge, Pace, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::{Intervals, Reading};
use crate::memory::{Freshness, Memory};
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::SECOND;
use schema::{Domain, Finding, METRICS, Metric, Severity, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Sources are silent after so many intervals without a row …
const SILENT_INTERVALS: i64 = 3;
/// … and not before this long.
const SILENT_LEAST: i64 = 60 * SECOND;
/// The share of a window that its steps cover at least: the first step in it begins before it.
const WHOLE: f64 = 0.9;
/// Most findings of one rule; the others are counted in one more. A schema with thousands of bloated tables is one task.
const MOST: usize = 100;
/// The target of the finding that counts the others; no key is called so.
const REST: &str = "*";

/// The metrics that are rules, each with its rule.
static RULES: LazyLock<Vec<(&'static Metric, Rule)>> = LazyLock::new(|| {
    METRICS
        .iter()
        .filter(|metric| is_rule(metric))
        .map(|metric| (metric, rule_of(metric)))
        .collect()
});

/// The rules by domain and name of their metric.
static BY_METRIC: LazyLock<HashMap<(Domain, &'static str), &'static Rule>> = LazyLock::new(|| {
    let rules = RULES.iter();
    rules
        .map(|(metric, rule)| ((metric.domain, metric.name), rule))
        .collect()
});

fn is_rule(metric: &Metric) -> bool {
    let levels = metric.levels.unwrap_or_default();
    metric.evaluated_over_secs > 0 && (levels.warn.is_some() || levels.critical.is_some())
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
        &["system.cpu_busy_pct", "system.cpu_iowait_pct"],
    ),
    ("system.pressure_cpu_some_pct", &["system.cpu_busy_pct"]),
    ("system.cpu_iowait_pct", &["system.pressure_io_full_pct"]),
    ("disk.busy_pct", &["system.pressure_io_full_pct"]),
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
        kind: Kind::Alert,
        domain: metric.domain.as_str(),
        title: metric.label,
        life: Life::sampled(metric.confirm_secs).no_data(NoData::Keep),
        because: because.map_or(&[], |(_, rules)| rules),
    }
}

/// Judges thresholds.
#[derive(Debug, Default)]
pub struct Thresholds {
    /// By rule: the newest sample that was judged.
    judged: HashMap<&'static str, Timestamp>,
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

    const PACE: Pace = Pace::EveryTick;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter().map(|(_, rule)| rule)
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let mut read = read(facts.memory, open, at, &mut evaluation.unchanged);
        for (metric, rule) in RULES.iter() {
            let seen = read.remove(rule.id).unwrap_or_default();
            let silent = silent(metric, rule, &seen, &facts, open, at);
            let judged = self.judged.get(rule.id).copied().unwrap_or_default();
            if seen.newest <= judged {
                keep(rule, silent, open, &mut evaluation);
                continue;
            }
            self.judged.insert(rule.id, seen.newest);
            evaluation.rules.push(rule);
            evaluation.absent.extend(silent);
            let found = findings(metric, rule, seen.reached, facts.memory, facts.rows, open);
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

/// Reads every metric once. Open findings that cannot be judged yet go to `young`.
fn read(
    memory: &mut Memory,
    open: &Lifecycle,
    at: Timestamp,
    young: &mut Vec<(&'static str, String)>,
) -> HashMap<&'static str, Seen> {
    let mut read: HashMap<&'static str, Seen> = HashMap::new();
    let (live, fresh) = memory.parts();
    live.read(at, |reading| {
        let metric = (reading.metric.domain, reading.metric.name);
        let Some((rule, sampled_at)) = BY_METRIC.get(&metric).copied().zip(reading.sampled_at)
        else {
            return;
        };
        let seen = read.entry(rule.id).or_default();
        seen.newest = sampled_at.max(seen.newest);
        if has_gone(&reading, sampled_at, fresh) {
            return;
        }
        let target = reading.key.unwrap_or_default();
        let held = open.severity(rule.id, target);
        if held.is_some() {
            seen.open.insert(target.to_owned());
        }
        if !is_too_young(&reading, held) {
            seen.reached.extend(reach(&reading, held));
        } else if held.is_some() {
            young.push((rule.id, target.to_owned()));
        }
    });
    read
}

/// Returns the open findings of a rule whose source is silent. A key without a sample whose source goes on is gone.
fn silent(
    metric: &Metric,
    rule: &Rule,
    seen: &Seen,
    facts: &TickFacts<'_>,
    open: &Lifecycle,
    at: Timestamp,
) -> Vec<(&'static str, String)> {
    let is_unseen = |target: &&str| !seen.open.contains(*target) && *target != REST;
    open.targets(rule.id)
        .filter(is_unseen)
        .filter(|target| is_silent(metric, target, facts.memory, facts.intervals, at))
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
    let current = reading.now.map(words::round);
    let (severity, threshold) = metric.reached_from(value, held)?;
    if !severity.is_problem() {
        return None;
    }
    if metric.is_windowed() && !metric.counts_events {
        // The window may still remember what has ended.
        let levels = metric.levels?;
        let least = levels.warn.or(levels.critical)?;
        let is_bad = current.is_some_and(|current| match held {
            Some(_) => metric.clings(least, current),
            None => metric.severity(Some(current)).is_problem(),
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
fn has_gone(reading: &Reading<'_>, sampled_at: Timestamp, fresh: &Freshness) -> bool {
    let table = reading.metric.series.table();
    let is_sparse = reading.metric.every() != table.every;
    let key = reading.key.unwrap_or_default();
    !is_sparse
        && fresh
            .of(table, key)
            .is_some_and(|newest| newest > sampled_at)
}

/// Returns whether the source of a key has not delivered for longer than it should take.
fn is_silent(
    metric: &Metric,
    target: &str,
    memory: &Memory,
    intervals: Intervals,
    at: Timestamp,
) -> bool {
    let interval = match metric.domain.is_of_service() {
        true => intervals.services,
        false => intervals.host,
    };
    let every = metric.every().micros(interval);
    let patience = (SILENT_INTERVALS * every).max(SILENT_LEAST);
    let newest = memory.freshness.of(metric.series.table(), target);
    newest.is_none_or(|newest| at.as_micros() - newest.as_micros() > patience)
}

/// Returns the findings of a rule: the open ones and the worst, the others counted in one.
fn findings(
    metric: &'static Metric,
    rule: &'static Rule,
    mut reached: Vec<Reached>,
    memory: &Memory,
    rows: &[&[schema::Row]],
    open: &Lifecycle,
) -> Vec<Finding> {
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
    let mut culprit = culprit::of(metric, key, memory, rows);
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
            message = format!("{message}; now {current}");
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
