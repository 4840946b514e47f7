//! Evaluation of the latest values, once per host and tick.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schema::micros::{DAY, HOUR};
use schema::{Better, Class, Metric, Severity, Timestamp};
use store::series::{self, Latest, ReadError, SinceQuery};
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::presence::{Presence, kinds, presence};
use super::{culprit, findings, processes, titles, visibility};
use crate::areas::{Impact, impact_of, of_service, view_of};
use crate::database::{Database, Failure};
use crate::hosts::Host;
use crate::wire::now::{Badge, Fact, Problem};
use words::round;

/// How far back the start of a problem is looked for, microseconds.
const BACK: [i64; 2] = [HOUR, DAY];
/// The same where a day is millions of rows: of tables and indexes, one by one.
const BACK_BULK: [i64; 2] = [HOUR, 6 * HOUR];

/// Further values that cards show and that are not evaluated.
const CARDS: &[&str] = &["collector.spool_bytes", "collector.rows_per_sec"];

/// The result of the evaluation of one tick.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// One value per metric; of a metric with keys the worst.
    pub(crate) facts: Vec<Fact>,
    /// Values that have reached a threshold, ranked.
    pub(crate) problems: Vec<Problem>,
    /// Which areas there are, and which have no data.
    pub(super) presence: Presence,
    /// Processes beyond a threshold.
    pub(crate) processes: Badge,
}

/// By host and problem: the generation of the history, and since when, where that is known.
type Since = HashMap<(i32, String), (String, Option<Timestamp>)>;
type Slot = (String, Arc<OnceCell<Arc<Evaluation>>>);

/// Recent evaluations.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    /// By host: the stamp of the data and their evaluation.
    slots: Mutex<HashMap<i32, Slot>>,
    /// The beginnings of problems.
    since: Mutex<Since>,
}

impl Evaluations {
    /// Returns the evaluation of a host's newest tick, which is made once per tick.
    pub(crate) async fn of(
        &self,
        database: &Database,
        host: &Host,
    ) -> Result<Arc<Evaluation>, Failure> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let (stamp, slot) = slots.entry(host.id).or_default();
            if *stamp != host.stamp() {
                *stamp = host.stamp();
                *slot = Arc::default();
            }
            Arc::clone(slot)
        };
        let made = slot.get_or_try_init(async || {
            let known = &self.known_since(host);
            let read = database
                .read("the latest values", |session| async move {
                    read(&session.client, host, known).await
                })
                .await?;
            self.keep_since(host, &read.problems);
            Ok(Arc::new(read))
        });
        made.await.cloned()
    }

    fn known_since(&self, host: &Host) -> HashMap<String, Option<Timestamp>> {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since
            .iter()
            .filter(|((id, _), (generation, _))| *id == host.id && *generation == host.generation)
            .map(|((_, problem), (_, at))| (problem.clone(), *at))
            .collect()
    }

    /// Forgets problems that no longer exist: one that recurs begins anew.
    fn keep_since(&self, host: &Host, problems: &[Problem]) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|(id, _), _| *id != host.id);
        for problem in problems {
            let at = problem.since_ms.map(Timestamp::from_millis);
            since.insert((host.id, problem.id.clone()), (host.generation.clone(), at));
        }
    }
}

fn taking_part() -> Vec<&'static Metric> {
    let cards = CARDS.iter().filter_map(|id| schema::metric(id));
    schema::METRICS
        .iter()
        .filter(|metric| metric.evaluated_over_secs > 0)
        .chain(cards)
        .collect()
}

async fn read(
    client: &Client,
    host: &Host,
    known: &HashMap<String, Option<Timestamp>>,
) -> Result<Evaluation, ReadError> {
    let metrics = taking_part();
    let Some(at) = host.newest else {
        return Ok(Evaluation {
            facts: Vec::new(),
            problems: Vec::new(),
            presence: Presence::default(),
            processes: Badge::new(Severity::Unknown, 0),
        });
    };
    type Metrics = Vec<&'static Metric>;
    let (services, own): (Metrics, Metrics) =
        metrics.iter().copied().partition(|one| of_service(one));
    // Where the sampling interval exceeds the window, the window is extended to two samples.
    let two = u32::try_from(2 * host.app_interval / 1_000_000).unwrap_or(u32::MAX);
    let windows: Vec<(&'static Metric, u32)> = services
        .into_iter()
        .map(|metric| (metric, metric.evaluated_over_secs.max(two)))
        .collect();
    let (own, services, processes, visibility, findings, kinds) = tokio::join!(
        series::latest(client, host.id, &own, at, host.interval),
        series::latest_over(client, host.id, &windows, at, host.app_interval),
        processes::badge(client, host, at),
        visibility::problems(client, host, at),
        findings::findings(client, host),
        kinds(client, host, at),
    );
    let mut values = own?;
    values.extend(services?);
    let mut problems = visibility?;
    problems.extend(findings?);
    for (one, mut problem) in worst(&values) {
        let since = match known.get(&problem.id) {
            Some(since) => *since,
            None => match one {
                Some(one) => since(client, host, one, at).await?,
                None => None,
            },
        };
        problem.since_ms = since.map(Timestamp::as_millis);
        problems.push(problem);
    }
    culprit::name(client, host, at, &mut problems).await?;
    rank(&mut problems);
    culprit::shorten(&mut problems);
    Ok(Evaluation {
        facts: facts(&metrics, &values),
        problems,
        presence: presence(client, host, at, &values, kinds?).await?,
        processes: processes?,
    })
}

/// Sorts problems: the most severe first, then those with the greatest impact, then the oldest.
fn rank(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| {
        (
            std::cmp::Reverse(problem.severity),
            schema::metric(&problem.metric).map_or(Impact::Other, impact_of),
            // Problems that count several, or have no known beginning, come after the others.
            problem.since_ms.is_none(),
            problem.since_ms,
            problem.id.clone(),
        )
    });
}

/// Most keys of one metric that are separate problems.
const KEYS_NAMED: usize = 5;

/// Returns the problems with their values. Of many keys of one metric the worst are named and the
/// others are counted, so that a thousand bloated tables do not hide a server that is down.
fn worst(values: &[Latest]) -> Vec<(Option<&Latest>, Problem)> {
    let mut metrics: Vec<(&'static Metric, Vec<(&Latest, Problem)>)> = Vec::new();
    for one in values {
        let Some(problem) = problem(one) else {
            continue;
        };
        match metrics.iter_mut().find(|(metric, _)| *metric == one.metric) {
            Some((_, found)) => found.push((one, problem)),
            None => metrics.push((one.metric, vec![(one, problem)])),
        }
    }
    let mut found = Vec::new();
    for (metric, mut problems) in metrics {
        let order = |problem: &Problem| {
            let value = problem.value.unwrap_or_default();
            match metric.better {
                Better::Higher => -value,
                Better::Lower | Better::Neither => value,
            }
        };
        problems.sort_by(|(_, a), (_, b)| {
            let by_severity = b.severity.cmp(&a.severity);
            let by_value = order(b).total_cmp(&order(a));
            by_severity.then(by_value).then_with(|| a.id.cmp(&b.id))
        });
        let named = if problems.len() > KEYS_NAMED + 1 {
            KEYS_NAMED
        } else {
            problems.len()
        };
        let rest = problems.split_off(named);
        found.extend(
            problems
                .into_iter()
                .map(|(one, problem)| (Some(one), problem)),
        );
        let worst = rest.first().map(|(_, problem)| problem.clone());
        if let Some(worst) = worst {
            let value = worst.value.unwrap_or_default();
            found.push((
                None,
                Problem {
                    id: format!("{}+", metric.id()),
                    title: titles::rest(metric, rest.len(), worst.key.as_deref(), value),
                    key: None,
                    cause: String::new(),
                    command: String::new(),
                    ..worst
                },
            ));
        }
    }
    found
}

/// Returns the rounded value and its severity, as all views show them.
fn shown(one: &Latest) -> (Option<f64>, Severity) {
    let value = one.value.map(round);
    (value, one.metric.severity(value))
}

fn facts(metrics: &[&'static Metric], values: &[Latest]) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(metrics.len());
    for metric in metrics {
        let worst = values
            .iter()
            .filter(|one| one.metric == *metric)
            .map(|one| (one, shown(one)))
            .max_by(|(_, (a, worst_a)), (_, (b, worst_b))| {
                let by_value = a.unwrap_or(f64::MIN).total_cmp(&b.unwrap_or(f64::MIN));
                worst_a.cmp(worst_b).then(by_value)
            });
        if let Some((one, (value, severity))) = worst {
            facts.push(Fact {
                metric: metric.id(),
                key: one.key.clone(),
                value,
                severity,
            });
        }
    }
    facts
}

fn problem(one: &Latest) -> Option<Problem> {
    let metric = one.metric;
    if metric.evaluated_over_secs == 0 {
        return None;
    }
    let (value, severity) = shown(one);
    let value = value?;
    let (_, level) = metric.levels?.reached(metric.better, value)?;
    if !severity.is_problem() {
        return None;
    }
    let id = match &one.key {
        Some(key) => format!("{}@{key}", metric.id()),
        None => metric.id(),
    };
    Some(Problem {
        id,
        severity,
        title: titles::title(metric, one.key.as_deref(), value),
        metric: metric.id(),
        key: one.key.clone(),
        value: Some(value),
        level: Some(level),
        since_ms: None,
        view: view_of(metric).to_owned(),
        fix: metric.fix.to_owned(),
        cause: String::new(),
        command: String::new(),
    })
}

/// Returns since when it has been a problem, by the lowest threshold that makes it one: a problem that
/// grows from warning to critical began with the warning.
async fn since(
    client: &Client,
    host: &Host,
    one: &Latest,
    at: Timestamp,
) -> Result<Option<Timestamp>, ReadError> {
    let levels = one.metric.levels.unwrap_or_default();
    let Some(level) = levels.warn.or(levels.critical) else {
        return Ok(None);
    };
    let mut found = None;
    let is_bulk = one.metric.series.table().class == Class::Bulk;
    for back in if is_bulk { BACK_BULK } else { BACK } {
        let reach = SinceQuery {
            host_id: host.id,
            metric: one.metric,
            key: one.key.as_deref(),
            level,
            at,
            back,
            interval: host.interval_of(one.metric),
        };
        let began = match series::since(client, &reach).await {
            // Thousands of series over a day: the problem matters more than its beginning.
            Err(error) if error.is_timeout() => break,
            began => began?,
        };
        found = began.or(found);
        // A run that begins well inside the look-back did begin there.
        let edge = at.as_micros() - back
            + one
                .metric
                .every()
                .micros(host.interval)
                .max(host.interval * 12);
        if found.is_none_or(|since| since.as_micros() > edge) {
            break;
        }
    }
    Ok(found)
}
