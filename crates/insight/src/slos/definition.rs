//! From a row of `slo_definitions` to what is judged, or to what is wrong with the row.

use schema::micros::{HOUR, MINUTE};
use schema::{Better, Domain, METRICS, Metric, Series, Unit};
use store::series::tallies::{Weight, weight};
use store::slos::Definition;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Events: requests, blocks.
    Events,
    /// Minutes, each judged by the mean of the metric in it.
    Minutes,
}

impl Counts {
    /// Returns the word in `slo_tracking.counted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Minutes => "minutes",
        }
    }
}

/// An objective that can be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// Its name.
    pub name: String,
    /// The metric.
    pub metric: &'static Metric,
    /// Only this key.
    pub key: Option<String>,
    /// Good from the target upwards, rather than up to it.
    pub is_floor: bool,
    /// The target, in the unit of the metric.
    pub target: f64,
    /// The share that has to be good, percent.
    pub target_pct: f64,
    /// The share of bad events or minutes that is tolerated.
    pub tolerated: f64,
    /// What is counted.
    pub counts: Counts,
    /// Whether a minute without an answer is bad.
    pub counts_down: bool,
}

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the row.
    pub name: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// Two shares that differ by less are the same: 100 - 99.9 is not exactly 0.1.
const SAME: f64 = 1e-9;

impl Slo {
    /// Reads a definition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(row: &Definition) -> Result<Self, Fault> {
        let fault = |reason: String, remedy: String| Fault {
            name: row.slo_name.clone(),
            reason,
            remedy,
        };
        let metric = metric(row).map_err(|(reason, remedy)| fault(reason, remedy))?;
        let is_floor = match row.comparison.as_str() {
            "gte" => true,
            "lte" => false,
            other => {
                return Err(fault(
                    format!("comparison is {other:?}"),
                    "Set comparison to gte (good from the target upwards) or lte (good up to it)."
                        .to_owned(),
                ));
            }
        };
        let against = match metric.better {
            Better::Lower => is_floor,
            Better::Higher => !is_floor,
            Better::Neither => false,
        };
        if against {
            return Err(fault(
                format!(
                    "of {} less would be good only for worse values",
                    metric.id()
                ),
                format!(
                    "Set comparison to {}: {} is better when it is {}.",
                    if is_floor { "lte" } else { "gte" },
                    metric.id(),
                    metric.better.as_str()
                ),
            ));
        }
        let (target, target_pct) = (row.target_value, row.target_pct);
        if !(target_pct > 0.0 && target_pct <= 100.0) {
            return Err(fault(
                format!("target_pct is {target_pct}"),
                "Set target_pct to the share that has to be good: more than 0 and at most 100 percent."
                    .to_owned(),
            ));
        }
        if let Some(range) = impossible(metric, is_floor, target) {
            return Err(fault(
                format!(
                    "target_value is {target}, which {} cannot reach",
                    metric.id()
                ),
                format!("Set target_value to {range}."),
            ));
        }
        if row.metric_key.is_none() && has_many_keys(metric.domain) {
            return Err(fault(
                format!("{} has a series for each of many keys", metric.id()),
                "Set metric_key to the one that the objective is for.".to_owned(),
            ));
        }
        if row.metric_key.is_some() && metric.key.is_none() {
            return Err(fault(
                format!("{} has no keys", metric.id()),
                "Set metric_key to NULL.".to_owned(),
            ));
        }
        if row.counts_down && up_of(metric.domain).is_none() {
            return Err(fault(
                format!(
                    "nothing tells whether what {} is about answers",
                    metric.id()
                ),
                "Set counts_down to false.".to_owned(),
            ));
        }
        let tolerated = 1.0 - target_pct / 100.0;
        Ok(Self {
            name: row.slo_name.clone(),
            metric,
            key: row.metric_key.clone(),
            is_floor,
            target,
            target_pct,
            tolerated,
            counts: counts(metric, is_floor, target, tolerated),
            counts_down: row.counts_down,
        })
    }

    /// Returns what decides about a stored hour; an hour of another one does not count.
    #[must_use]
    pub fn spec(&self) -> String {
        // Hours without an answer weighed too little before.
        let rule = match self.counts {
            Counts::Events if self.counts_down => " 2",
            Counts::Events | Counts::Minutes => "",
        };
        format!(
            "{} {} {} {} {} {}{rule}",
            self.metric.id(),
            if self.is_floor { "gte" } else { "lte" },
            self.target,
            self.counts.as_str(),
            self.key.as_deref().unwrap_or("*"),
            self.counts_down
        )
    }

    /// Returns whether a value is bad.
    #[must_use]
    pub fn is_bad(&self, value: f64) -> bool {
        if self.is_floor {
            value < self.target
        } else {
            value > self.target
        }
    }

    /// Returns the share of bad events that a ratio means, percent going in.
    #[must_use]
    pub fn bad_share(&self, percent: f64) -> f64 {
        let share = percent / 100.0;
        let bad = if self.is_floor { 1.0 - share } else { share };
        bad.clamp(0.0, 1.0)
    }

    /// Returns the width of a judged period, microseconds: a minute, or longer where the metric is sampled more rarely; a
    /// part of an hour.
    #[must_use]
    pub fn step(&self, interval: i64) -> i64 {
        step(self.metric, interval)
    }

    /// Returns the metric that tells whether what it is about answers.
    #[must_use]
    pub fn up(&self) -> Option<&'static Metric> {
        up_of(self.metric.domain)
    }

    /// Returns the word for what is counted.
    #[must_use]
    pub fn things(&self) -> &'static str {
        match (self.counts, self.metric.domain) {
            (Counts::Minutes, _) => "minutes",
            (Counts::Events, Domain::Api | Domain::Proxy) => "requests",
            (Counts::Events, _) => "events",
        }
    }
}

/// Returns the width of a judged period of a metric, microseconds.
pub(super) fn step(metric: &Metric, interval: i64) -> i64 {
    let sampled = metric.every().micros(interval);
    let widths = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30].map(|minutes| minutes * MINUTE);
    widths
        .into_iter()
        .find(|width| *width >= sampled)
        .unwrap_or(HOUR)
}

/// Returns what is counted: events where the ratio that the target asks for and the share of good events that the budget
/// asks for are the same, else minutes in which the ratio was not reached.
fn counts(metric: &'static Metric, is_floor: bool, target: f64, tolerated: f64) -> Counts {
    let is_share =
        matches!(metric.series, Series::Share { scale, .. } if (scale - 100.0).abs() < SAME);
    let of_target = if is_floor {
        1.0 - target / 100.0
    } else {
        target / 100.0
    };
    let is_same = (of_target - tolerated).abs() < SAME;
    if weight(metric) == Weight::Events && is_share && is_same {
        Counts::Events
    } else {
        Counts::Minutes
    }
}

/// Returns the metric of a row, or the reason why there is none with the remedy.
fn metric(row: &Definition) -> Result<&'static Metric, (String, String)> {
    let id = if row.metric.contains('.') {
        row.metric.clone()
    } else {
        format!("{}.{}", row.domain, row.metric)
    };
    if let Some(metric) = schema::metric(&id) {
        return Ok(metric);
    }
    let nearest = METRICS
        .iter()
        .map(|metric| (distance(&id, &metric.id()), metric))
        .min_by_key(|(distance, _)| *distance);
    let guess = nearest
        .filter(|(distance, _)| *distance <= id.len() / 3)
        .map(|(_, metric)| format!(" Perhaps {} is meant.", metric.id()));
    Err((
        format!("no metric is called {id}"),
        format!(
            "Set domain and metric to one of the catalogue; each chart names its metric.{}",
            guess.unwrap_or_default()
        ),
    ))
}

/// Returns the range of a target that a metric can reach, where this one is out of it.
fn impossible(metric: &Metric, is_floor: bool, target: f64) -> Option<&'static str> {
    let is_whole = matches!(metric.series, Series::Share { .. }) && metric.unit == Unit::Percent;
    if !target.is_finite() {
        return Some("a number");
    }
    if is_whole && !(0.0..=100.0).contains(&target) {
        return Some("0 to 100 percent");
    }
    if metric.unit == Unit::Bool && !(0.0..=1.0).contains(&target) {
        return Some("0 or 1");
    }
    (!is_floor && target < 0.0).then_some("0 or more")
}

/// Returns whether a domain has a series for each of many things that come and go.
const fn has_many_keys(domain: Domain) -> bool {
    matches!(
        domain,
        Domain::Process | Domain::ProcessOne | Domain::Table | Domain::Index | Domain::Statement
    )
}

/// Returns the metric that tells whether what a domain is about answers.
fn up_of(domain: Domain) -> Option<&'static Metric> {
    match domain {
        Domain::Api | Domain::Proxy | Domain::Target => schema::metric("target.up"),
        Domain::Check => schema::metric("check.up"),
        Domain::Db
        | Domain::Database
        | Domain::Table
        | Domain::Index
        | Domain::Replication
        | Domain::Statement
        | Domain::Io => schema::metric("db.up"),
        Domain::System
        | Domain::Network
        | Domain::Mount
        | Domain::Disk
        | Domain::Process
        | Domain::ProcessOne
        | Domain::Collector
        | Domain::Traffic
        | Domain::Log => None,
    }
}

/// Returns the number of characters to be changed, added or removed to get from one word to another.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, c) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(c != *other);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(metric: &str, comparison: &str, target_value: f64, target_pct: f64) -> Definition {
        let (domain, name) = metric.split_once('.').unwrap();
        Definition {
            slo_name: "mine".to_owned(),
            domain: domain.to_owned(),
            metric: name.to_owned(),
            comparison: comparison.to_owned(),
            target_value,
            target_pct,
            ..Definition::default()
        }
    }

    #[test]
    fn events_are_counted_where_both_targets_say_the_same() {
        for (metric, comparison, target, pct, expected) in [
            ("api.error_pct", "lte", 1.0, 99.0, Counts::Events),
            ("api.success_pct", "gte", 99.9, 99.9, Counts::Events),
            ("api.error_pct", "lte", 1.0, 95.0, Counts::Minutes),
            ("api.p95_ms", "lte", 500.0, 99.9, Counts::Minutes),
            ("db.deadlocks_per_sec", "lte", 0.0, 100.0, Counts::Minutes),
            ("system.cpu_busy_pct", "lte", 5.0, 95.0, Counts::Minutes),
        ] {
            let slo = Slo::new(&row(metric, comparison, target, pct)).unwrap();
            assert_eq!(slo.counts, expected, "{metric} {target} {pct}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_judged_says_why_and_what_to_do() {
        let keyed = Definition {
            metric_key: Some("a".to_owned()),
            ..row("system.load_1", "lte", 4.0, 99.0)
        };
        let down = Definition {
            counts_down: true,
            ..row("system.load_1", "lte", 4.0, 99.0)
        };
        for (row, reason, remedy) in [
            (
                row("api.eror_pct", "lte", 1.0, 99.0),
                "api.eror_pct",
                "api.error_pct is meant",
            ),
            (
                row("api.nonsense_of_mine", "lte", 1.0, 99.0),
                "nonsense",
                "of the catalogue; each chart names its metric.",
            ),
            (
                row("api.p95_ms", "<", 1.0, 99.0),
                "comparison is \"<\"",
                "gte",
            ),
            (
                row("api.p95_ms", "gte", 1.0, 99.0),
                "worse",
                "comparison to lte",
            ),
            (
                row("api.error_pct", "lte", 1.0, 101.0),
                "target_pct is 101",
                "at most 100",
            ),
            (
                row("api.error_pct", "lte", 1.0, 0.0),
                "target_pct is 0",
                "more than 0",
            ),
            (
                row("api.error_pct", "lte", 1.0, f64::NAN),
                "target_pct is NaN",
                "more than 0",
            ),
            (
                row("api.success_pct", "gte", 100.1, 99.0),
                "cannot reach",
                "0 to 100",
            ),
            (
                row("api.p95_ms", "lte", -1.0, 99.0),
                "cannot reach",
                "0 or more",
            ),
            (
                row("api.p95_ms", "lte", f64::INFINITY, 99.0),
                "cannot reach",
                "a number",
            ),
            (row("table.dead_tup_pct", "lte", 1.0, 99.0), "", ""),
            (keyed, "no keys", "NULL"),
            (down, "answers", "false"),
        ] {
            let fault = Slo::new(&row).unwrap_err();
            assert_eq!(fault.name, "mine");
            assert!(fault.reason.contains(reason), "{fault:?}");
            assert!(fault.remedy.contains(remedy), "{fault:?}");
        }
    }

    #[test]
    fn what_is_sampled_rarely_is_judged_in_longer_periods() {
        let slow = schema::metric("database.size_bytes").unwrap();
        assert_eq!(step(slow, 10_000_000), 5 * MINUTE);
        let quick = schema::metric("system.load_1").unwrap();
        assert_eq!(step(quick, 10_000_000), MINUTE);
        assert_eq!(step(quick, 61_000_000), 2 * MINUTE);
        assert_eq!(step(quick, 2 * HOUR), HOUR);
    }
}
