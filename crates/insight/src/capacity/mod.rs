//! When a resource will be full.
//!
//! Which metrics have a limit, and what happens there, is stated in the catalogue alone ([`schema::Capacity`]). Once an hour
//! the growth of each of them and each key is read from the hourly means of a week ([`stats::capacity`]); nothing is kept from
//! one run to the next. A limit that will be reached within [`HORIZON_HOURS`] is a finding, one for each metric and key; it is
//! resolved when the trend has ended. Where the threshold of the same metric is reached, too, that is the
//! problem, and the outlook follows from it.
//!
//! Of a metric that could not be read nothing is said; of a key whose hours are too few to tell it is unknown
//! whether an open finding holds on.

mod outlook;
pub mod own_store;
#[cfg(test)]
mod tests;

pub use outlook::Outlook;

use crate::baselines::{self, Hours};
use crate::judge::Judge;
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Intervals;
use crate::rule::{Life, Rule};
use crate::thresholds;
use schema::finding::{Figures, Kind};
use schema::micros::HOUR;
use schema::{Capacity, Finding, Limit, METRICS, Metric, Severity, Timestamp};
use serde_json::json;
use stats::capacity::{GIVEN, Growth};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use store::series::Fault;
use tokio_postgres::Client;

/// Hours ahead within which a limit is reported: a month, four times the week that the growth is read from. Beyond that the
/// week says little.
pub const HORIZON_HOURS: usize = 30 * 24;
/// From so many hours before on it is a warning: a weekend lies within three days.
pub const WARN_HOURS: usize = 72;

/// A metric with a limit, and its rule.
#[derive(Debug)]
struct Bounded {
    metric: &'static Metric,
    rule: Rule,
}

static BOUNDED: LazyLock<Vec<Bounded>> = LazyLock::new(|| {
    let bounded = METRICS.iter().filter(|one| one.capacity.is_bounded());
    bounded
        .map(|metric| Bounded {
            metric,
            rule: rule_of(metric),
        })
        .collect()
});

fn rule_of(metric: &'static Metric) -> Rule {
    let because: &'static [&'static str] = match thresholds::rule_id(metric) {
        Some(threshold) => vec![threshold].leak(),
        None => &[],
    };
    Rule {
        id: format!("capacity.{}", metric.id()).leak(),
        kind: Kind::Insight,
        domain: metric.domain.as_str(),
        title: format!("{} will reach its limit", metric.label).leak(),
        // Evaluated once an hour. Of a trend that is barely sure, one hour without it may be chance.
        life: Life::sampled(0),
        because,
    }
}

/// What is known of the growth of everything that has a limit.
#[derive(Debug, Default)]
pub struct CapacityFacts {
    /// End of the last hour.
    pub until: Timestamp,
    /// What will reach its limit within [`HORIZON_HOURS`].
    pub outlooks: Vec<Outlook>,
    /// Metrics that could be read.
    read: HashSet<String>,
    /// Metrics and keys of which it is known whether they grow.
    known: HashSet<(String, String)>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

impl CapacityFacts {
    /// Returns the metrics that are read: those with a limit, and those that are the limit of another one.
    #[must_use]
    pub fn metrics() -> Vec<&'static Metric> {
        let limits = BOUNDED.iter().filter_map(|one| match one.metric.capacity {
            Capacity::Bounded {
                limit: Limit::Metric(other, _),
                ..
            } => schema::metric(other),
            _ => None,
        });
        BOUNDED.iter().map(|one| one.metric).chain(limits).collect()
    }

    /// Reads the hours of a week before an instant and computes what follows from them.
    pub async fn read(client: &Client, host_id: i32, at: Timestamp, intervals: Intervals) -> Self {
        let until = Timestamp(at.as_micros().div_euclid(HOUR) * HOUR);
        let (mut hours, mut faults) = (Vec::new(), Vec::new());
        let is_of_service = |metric: &&Metric| metric.domain.is_of_service();
        let (services, host): (Vec<_>, Vec<_>) =
            Self::metrics().into_iter().partition(is_of_service);
        for (group, interval) in [(host, intervals.host), (services, intervals.services)] {
            let (read, refused) =
                baselines::hours(client, host_id, &group, until, GIVEN, interval).await;
            hours.extend(read);
            faults.extend(refused);
        }
        let refused: HashSet<String> = faults
            .iter()
            .flat_map(|fault| fault.metrics.iter().map(|metric| metric.id()))
            .collect();
        let mut facts = Self::of(&hours, until);
        facts.read.retain(|metric| !refused.contains(metric));
        facts.faults = faults;
        facts
    }

    /// Computes what follows from hours up to an instant, those of every metric included.
    #[must_use]
    pub fn of(hours: &[Hours], until: Timestamp) -> Self {
        let newest = |one: &Hours| {
            one.means
                .iter()
                .rev()
                .copied()
                .find(|mean| mean.is_finite())
        };
        let key = |one: &Hours| one.key.clone().unwrap_or_default();
        let mut limits: HashMap<(String, String), f64> = HashMap::new();
        for one in hours {
            if let Some(limit) = newest(one) {
                limits.insert((one.metric.id(), key(one)), limit);
            }
        }
        let mut facts = Self {
            until,
            read: BOUNDED.iter().map(|one| one.metric.id()).collect(),
            ..Self::default()
        };
        for one in hours.iter().filter(|one| one.metric.capacity.is_bounded()) {
            let of = limit(one.metric, |other| {
                limits.get(&(other.to_owned(), key(one))).copied()
            });
            let Some(limit) = of else { continue };
            let Some(growth) = growth(one) else { continue };
            facts.known.insert((one.metric.id(), key(one)));
            facts
                .outlooks
                .extend(Outlook::of(one, &growth, limit, until));
        }
        facts.outlooks.sort_by_key(|one| one.breach.hours);
        facts
    }
}

/// Returns the limit of a metric; `other` is the newest value of another one.
fn limit(metric: &Metric, other: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let Capacity::Bounded { limit, .. } = metric.capacity else {
        return None;
    };
    match limit {
        Limit::Full(limit) => Some(limit),
        Limit::Critical => metric.levels?.critical,
        Limit::Metric(id, otherwise) => other(id).or(otherwise),
    }
}

/// Returns the growth towards the limit: of a metric of which more is better, that of its negative. A metric that is no
/// resource follows the load, so of it only growth over a week counts.
fn growth(hours: &Hours) -> Option<Growth> {
    let sign = outlook::sign(hours.metric);
    let means: Vec<f64> = hours.means.iter().map(|mean| sign * mean).collect();
    match hours.metric.capacity {
        Capacity::Bounded {
            limit: Limit::Critical,
            ..
        } => Growth::steady(&means),
        _ => Growth::of(&means),
    }
}

/// Judges what will be full.
#[derive(Debug, Default)]
pub struct CapacityJudge;

impl Judge for CapacityJudge {
    type Facts<'a> = &'a CapacityFacts;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        BOUNDED.iter().map(|one| &one.rule)
    }

    fn evaluate(&mut self, facts: &CapacityFacts, open: &Lifecycle, _: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for Bounded { metric, rule } in &*BOUNDED {
            let id = metric.id();
            if !facts.read.contains(&id) {
                continue;
            }
            evaluation.rules.push(rule);
            let of_rule = facts.outlooks.iter().filter(|one| one.metric == *metric);
            evaluation
                .found
                .extend(of_rule.map(|one| finding(rule, one)));
            let absent = open
                .targets(rule.id)
                .filter(|target| !facts.known.contains(&(id.clone(), (*target).to_owned())));
            evaluation
                .absent
                .extend(absent.map(|target| (rule.id, target.to_owned())));
        }
        evaluation
    }
}

fn finding(rule: &'static Rule, one: &Outlook) -> Finding {
    let metric = one.metric;
    let Capacity::Bounded { then, .. } = metric.capacity else {
        return rule.finding(&one.key, Severity::Info, one.message());
    };
    let mut steps = vec![format!("When it is reached, {then}.")];
    if !metric.fix.is_empty() {
        steps.push(metric.fix.to_owned());
    }
    let (command, action_sql) = match thresholds::command_of(metric, &one.key) {
        Some(sql) if sql.ends_with(';') => (None, Some(sql)),
        command => (command, None),
    };
    Finding {
        steps,
        command,
        action_sql,
        metric: Some(metric.id()),
        metric_key: (!one.key.is_empty()).then(|| one.key.clone()),
        figures: Figures {
            threshold: Some(words::round(one.limit)),
            ..Figures::of(words::round(one.current))
        },
        details: Some(
            json!({
                "hours_until": one.breach.hours,
                "earliest_hours": one.breach.earliest,
                "latest_hours": one.breach.latest,
                "slope_per_hour": words::round(one.slope),
                "confidence": words::round(one.confidence),
            })
            .to_string(),
        ),
        ..rule.finding(&one.key, one.severity(), one.message())
    }
}
