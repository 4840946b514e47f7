//! What is unusual: every scored metric and key of the host is compared with its own past, every five minutes.
//!
//! # Cycle
//!
//! A cycle ends with the first tick after a multiple of five minutes. Each scored metric ([`schema::Scoring`]) is read
//! from the rows in memory as its mean over the cycle (of what is sampled slowly: over two), and each key has a detector
//! ([`stats::anomaly`]) that judges the mean by what it has learned of that hour, and then learns it: some hundred
//! nanoseconds, whatever the length of the history. A step across the restart of a counter has no value, and a cycle that was not sampled
//! for at least half of its time has none either.
//!
//! # From a score to a finding
//!
//! * A detector is silent for its first day ([`MATURE`]); it is warmed from history where there is some.
//! * The level of a score is the same for every metric, and stricter the more series there are
//!   ([`Level::from_score_among`]): what may be false is the host's budget.
//! * A deviation that is too small to matter (the metric's `least`, a tenth of what is expected), or an improvement, is
//!   none.
//! * It is confirmed when the next cycle still deviates, and is over when two cycles in a row do not, or when it has lasted so
//!   long that it is the new normal. For half an hour after it only something worse begins anew.
//!
//! # Memory
//!
//! 2.6 kB for each series, of a metric at most 200. A key has a detector once it has had a value for an
//! hour, so that short-lived processes need none; of several new ones those with the greatest values come first. A key
//! without a value for a month is forgotten, and after a day its place may be taken by another.
//!
//! The state is bytes ([`NormalJudge::save`]), so that a restart continues where the last run ended.

mod episode;
pub mod past;
mod saved;
#[cfg(test)]
mod tests;
mod texts;

pub(crate) use texts::name;

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Reading;
use crate::rule::{Life, NoData, Rule};
use crate::thresholds;
use episode::{Episode, Lead, Limits};
use jiff::tz::TimeZone;
use schema::finding::{Figures, Kind};
use schema::micros::SECOND;
use schema::{Domain, Every, Finding, METRICS, Metric, Severity, Timestamp};
use stats::anomaly::{Detector, Level};
use stats::moment::Moment;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Seconds of a cycle.
pub(crate) const CYCLE_SECS: u32 = 300;
const CYCLE: i64 = CYCLE_SECS as i64 * SECOND;
/// Points before a detector is believed: a day of cycles. Half a warning per series falls on its first one.
pub const MATURE: u32 = 288;
/// Most keys of a metric that are followed, as in the reference: 200 tables.
const MOST_KEYS: usize = 200;
/// Cycles in a row in which a key has a value before it is followed: an hour.
const ADMITTED_AFTER: u16 = 12;
/// Most keys that wait to be followed.
const MOST_WAITING: usize = 1000;
/// Cycles without a value after which another key may take the place: a day.
const REPLACED_AFTER: i64 = 288;
/// Cycles without a value after which a key is forgotten: 30 days, as long as its baselines are kept.
const FORGOTTEN_AFTER: i64 = 30 * 288;
/// Cycles after the end of an episode in which only something worse begins another: half an hour.
const QUIET: i64 = 6;
/// A finding is confirmed when the next cycle, which may end a tick early, finds it too.
const CONFIRM_SECS: u32 = CYCLE_SECS - 60;

/// A scored metric and its rule.
#[derive(Debug)]
struct Scored {
    metric: &'static Metric,
    least: f64,
    rule: Rule,
}

static SCORED: LazyLock<Vec<Scored>> = LazyLock::new(|| {
    let scored = METRICS.iter().filter_map(|metric| {
        let least = metric.scoring.least()?;
        let rule = rule_of(metric);
        Some(Scored {
            metric,
            least,
            rule,
        })
    });
    scored.collect()
});

/// The places in [`SCORED`] by domain and name of the metric.
static PLACES: LazyLock<HashMap<(Domain, &'static str), usize>> = LazyLock::new(|| {
    let names = SCORED
        .iter()
        .map(|one| (one.metric.domain, one.metric.name));
    names.zip(0..).collect()
});

fn rule_of(metric: &'static Metric) -> Rule {
    let id = metric.id();
    // A value that reaches its threshold needs no second problem.
    let because: &'static [&'static str] = match thresholds::rule_id(metric) {
        Some(rule) => vec![rule].leak(),
        None => &[],
    };
    Rule {
        id: format!("unusual.{id}").leak(),
        kind: Kind::Insight,
        domain: metric.domain.as_str(),
        title: format!("Unusual: {}", words::within_sentence(texts::name(metric))).leak(),
        life: Life::sampled(CONFIRM_SECS).no_data(NoData::Keep),
        because,
    }
}

/// Returns the scored metrics, each with the seconds over which it is averaged.
pub(crate) fn windows() -> impl Iterator<Item = (&'static Metric, u32)> {
    SCORED.iter().map(|one| {
        let cycles = match one.metric.every() {
            Every::Slow => 2,
            _ => 1,
        };
        (one.metric, CYCLE_SECS * cycles)
    })
}

/// What is known of a series.
#[derive(Clone, Debug, PartialEq)]
struct Tracked {
    detector: Detector,
    /// The last cycle with a value.
    seen: i64,
    episode: Option<Episode>,
    /// Level of the last episode, and the cycle before which only a higher one begins another.
    quiet: Option<(Level, i64)>,
}

impl Tracked {
    fn new(cycle: i64) -> Self {
        Self {
            detector: Detector::new(),
            seen: cycle,
            episode: None,
            quiet: None,
        }
    }

    /// Judges and learns the value of a cycle.
    fn observe(&mut self, moment: Moment, cycle: i64, value: f64, limits: &Limits) {
        let is_mature = self.detector.points() >= MATURE;
        let Some(judgement) = self.detector.observe(moment, value) else {
            return;
        };
        self.seen = cycle;
        if let Some(episode) = &mut self.episode {
            if episode.goes_on(&judgement, cycle, value, limits) {
                return;
            }
            self.quiet = Some((episode.level, cycle + QUIET));
            self.episode = None;
            return;
        }
        self.quiet = self.quiet.filter(|(_, until)| cycle < *until);
        let begun = Episode::begun(&judgement, cycle, value, limits);
        let is_loud = |episode: &Episode| self.quiet.is_none_or(|(level, _)| episode.level > level);
        self.episode = begun.filter(|episode| is_mature && is_loud(episode));
    }
}

/// The series of a metric.
#[derive(Debug, Default)]
struct Followed {
    /// By key; empty of a single series.
    series: HashMap<Box<str>, Box<Tracked>>,
    /// Keys that are not followed yet: cycles in a row with a value, the last of them, and the value.
    waiting: HashMap<Box<str>, (u16, i64, f64)>,
}

impl Followed {
    fn observe(&mut self, moment: Moment, cycle: i64, key: &str, value: f64, limits: &Limits) {
        if let Some(tracked) = self.series.get_mut(key) {
            tracked.observe(moment, cycle, value, limits);
        } else if let Some(waiting) = self.waiting.get_mut(key) {
            *waiting = (waiting.0.saturating_add(1), cycle, value);
        } else if self.waiting.len() < MOST_WAITING {
            let cycles = if key.is_empty() { ADMITTED_AFTER } else { 1 };
            self.waiting.insert(key.into(), (cycles, cycle, value));
        }
    }

    /// Follows new keys, and forgets old ones.
    fn admit(&mut self, cycle: i64) {
        self.waiting.retain(|_, (_, seen, _)| *seen == cycle);
        self.series
            .retain(|_, one| cycle - one.seen < FORGOTTEN_AFTER);
        let ready = self.waiting.iter();
        let mut ready: Vec<(Box<str>, f64)> = ready
            .filter(|(_, (cycles, ..))| *cycles >= ADMITTED_AFTER)
            .map(|(key, (.., value))| (key.clone(), *value))
            .collect();
        ready.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        for (key, _) in ready {
            if self.series.len() >= MOST_KEYS && !self.make_room(cycle) {
                break;
            }
            self.waiting.remove(&key);
            self.series.insert(key, Box::new(Tracked::new(cycle)));
        }
    }

    /// Forgets the key that has been without a value for longest; returns whether there is one.
    fn make_room(&mut self, cycle: i64) -> bool {
        let absent = self
            .series
            .iter()
            .filter(|(_, one)| cycle - one.seen >= REPLACED_AFTER);
        let oldest = absent.min_by_key(|(key, one)| (one.seen, (*key).clone()));
        let Some(key) = oldest.map(|(key, _)| key.clone()) else {
            return false;
        };
        self.series.remove(&key).is_some()
    }
}

/// Judges what is unusual.
#[derive(Debug)]
pub struct NormalJudge {
    /// In the order of [`SCORED`].
    metrics: Vec<Followed>,
    /// The time zone of the host, by whose clock its load has a season.
    zone: TimeZone,
    /// The cycle of the last tick, and the instant of its first tick, microseconds.
    cycle: Option<(i64, i64)>,
}

impl Default for NormalJudge {
    fn default() -> Self {
        let mut metrics = Vec::new();
        metrics.resize_with(SCORED.len(), Followed::default);
        Self {
            metrics,
            zone: TimeZone::UTC,
            cycle: None,
        }
    }
}

impl NormalJudge {
    /// Counts hours in this time zone; those that were learned before stay where they are.
    pub fn use_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Returns the number of series that are followed, and of those that have been for a day.
    #[must_use]
    pub fn followed(&self) -> (usize, usize) {
        let all = || self.metrics.iter().flat_map(|one| one.series.values());
        let mature = all().filter(|one| one.detector.points() >= MATURE);
        (all().count(), mature.count())
    }

    /// Teaches the past of a series that is not followed, or not for as long: values of cycles, oldest first.
    pub fn warm(
        &mut self,
        metric: &'static Metric,
        key: &str,
        values: impl IntoIterator<Item = (Timestamp, f64)>,
    ) {
        let Some(place) = PLACES.get(&(metric.domain, metric.name)) else {
            return;
        };
        let (mut detector, mut seen) = (Detector::new(), 0);
        for (at, value) in values {
            detector.observe(self.moment(at), value);
            seen = at.as_micros().div_euclid(CYCLE);
        }
        let series = &mut self.metrics[*place].series;
        let known = series.get(key).map_or(0, |one| one.detector.points());
        if detector.points() > known && (known > 0 || series.len() < MOST_KEYS) {
            let tracked = series
                .entry(key.into())
                .or_insert_with(|| Box::new(Tracked::new(seen)));
            tracked.detector = detector;
        }
    }

    fn moment(&self, at: Timestamp) -> Moment {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        Moment::of(at, &self.zone)
    }

    /// Returns whether a cycle ends at this instant of which at least half was sampled.
    fn ends_cycle(&mut self, at: Timestamp) -> bool {
        let at = at.as_micros();
        let cycle = at.div_euclid(CYCLE);
        let Some((before, first)) = self.cycle else {
            self.cycle = Some((cycle, at));
            return false;
        };
        if cycle == before {
            return false;
        }
        self.cycle = Some((cycle, at));
        before == cycle - 1 && first - before * CYCLE <= CYCLE / 2
    }

    /// Reads the cycle that ends now. Returns the places of the metrics that had a value.
    fn observe(&mut self, facts: &mut TickFacts<'_>, at: Timestamp) {
        let cycle = at.as_micros().div_euclid(CYCLE);
        // Points of the cycle belong to its beginning.
        let moment = self.moment(Timestamp(at.as_micros() - CYCLE / 2));
        let (_, mature) = self.followed();
        let levels = Level::ALL.map(|level| level.from_score_among(mature));
        let metrics = &mut self.metrics;
        facts.memory.scored().read(at, |metric, readings| {
            let Some(place) = PLACES.get(&(metric.domain, metric.name)) else {
                return;
            };
            let limits = Limits {
                levels,
                least: SCORED[*place].least,
                better: metric.better,
            };
            for reading in readings {
                if let Some(value) = value_of(&reading) {
                    let key = reading.key.unwrap_or_default();
                    metrics[*place].observe(moment, cycle, key, value, &limits);
                }
            }
        });
        for followed in metrics {
            followed.admit(cycle);
        }
    }

    /// Returns the open findings of a metric that had no value in this cycle and whose source is silent.
    fn silent(
        &self,
        place: usize,
        facts: &TickFacts<'_>,
        open: &Lifecycle,
        at: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let Scored { metric, rule, .. } = &SCORED[place];
        let cycle = at.as_micros().div_euclid(CYCLE);
        let every = metric
            .every()
            .micros(facts.intervals.of(metric.domain.is_of_service()));
        let series = &self.metrics[place].series;
        let had_value = |target: &str| series.get(target).is_some_and(|one| one.seen == cycle);
        let table = metric.series.table();
        open.targets(rule.id)
            .filter(|target| !had_value(target))
            .filter(|target| facts.memory.freshness.is_silent(table, target, every, at))
            .map(|target| (rule.id, target.to_owned()))
            .collect()
    }

    /// Returns what is unusual in this cycle.
    fn found(&self, place: usize, at: Timestamp) -> impl Iterator<Item = Finding> {
        let scored = &SCORED[place];
        let cycle = at.as_micros().div_euclid(CYCLE);
        let moment = self.moment(Timestamp(at.as_micros() - CYCLE / 2));
        let series = self.metrics[place].series.iter();
        series
            .filter(move |(_, one)| one.seen == cycle)
            .filter_map(move |(key, one)| Some(finding(scored, key, one.episode.as_ref()?, moment)))
    }
}

impl Judge for NormalJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        SCORED.iter().map(|one| &one.rule)
    }

    fn evaluate(
        &mut self,
        mut facts: TickFacts<'_>,
        open: &Lifecycle,
        at: Timestamp,
    ) -> Evaluation {
        let mut evaluation = Evaluation::default();
        // Between two cycles nothing is evaluated: what is open stays open.
        if !self.ends_cycle(at) {
            return evaluation;
        }
        self.observe(&mut facts, at);
        for (place, scored) in SCORED.iter().enumerate() {
            let found = self.found(place, at);
            evaluation.found.extend(found);
            evaluation
                .absent
                .extend(self.silent(place, &facts, open, at));
            evaluation.rules.push(&scored.rule);
        }
        evaluation
    }
}

/// Returns the mean over the cycle; `None` where too little of it was sampled.
fn value_of(reading: &Reading<'_>) -> Option<f64> {
    let is_covered = |secs: f64| secs >= f64::from(CYCLE_SECS) / 2.0;
    reading
        .over
        .filter(|value| value.is_finite() && reading.covered_secs.is_none_or(is_covered))
}

fn finding(scored: &'static Scored, key: &str, episode: &Episode, moment: Moment) -> Finding {
    let Scored { metric, rule, .. } = scored;
    let severity = match episode.level {
        Level::Notice => Severity::Info,
        Level::Warn => Severity::Warn,
        Level::Critical => Severity::Critical,
    };
    let figures = Figures {
        expected: Some(episode.expected),
        stddev: Some(episode.spread),
        z_score: episode.z(),
        drift_pct: episode.drift_pct(),
        score: Some(episode.score),
        ..Figures::of(words::round(episode.value))
    };
    Finding {
        steps: vec![texts::step(metric)],
        metric: Some(metric.id()),
        metric_key: Some(key.to_owned()).filter(|key| !key.is_empty()),
        figures,
        is_gradual: episode.lead != Lead::Deviation,
        ..rule.finding(key, severity, texts::message(metric, key, episode, moment))
    }
}
