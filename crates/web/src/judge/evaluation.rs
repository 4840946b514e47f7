//! What is read of a host once per tick: the latest values, and the open findings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schema::{Metric, Severity};
use store::series::{self, Latest, ReadError};
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::findings::{self, Findings};
use super::presence::{Presence, kinds, presence};
use crate::areas::of_service;
use crate::database::{Database, Failure};
use crate::hosts::Host;
use crate::wire::now::Fact;
use words::round;

/// Further values that cards show and that have no threshold.
const CARDS: &[&str] = &["collector.spool_bytes", "collector.rows_per_sec"];

/// The result of the evaluation of one tick.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// One value per metric; of a metric with keys the worst.
    pub(crate) facts: Vec<Fact>,
    /// What the collector found.
    pub(super) findings: Findings,
    /// Which areas there are, and which have no data.
    pub(super) presence: Presence,
}

type Slot = (String, Arc<OnceCell<Arc<Evaluation>>>);

/// Recent evaluations.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    /// By host: the stamp of the data and their evaluation.
    slots: Mutex<HashMap<i32, Slot>>,
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
            let read = database
                .read("the latest values", |session| async move {
                    read(&session.client, host).await
                })
                .await?;
            Ok(Arc::new(read))
        });
        made.await.cloned()
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

async fn read(client: &Client, host: &Host) -> Result<Evaluation, ReadError> {
    let metrics = taking_part();
    let Some(at) = host.newest else {
        return Ok(Evaluation {
            facts: Vec::new(),
            findings: Findings::default(),
            presence: Presence::default(),
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
    let (own, services, findings, kinds) = tokio::join!(
        series::latest(client, host.id, &own, at, host.interval),
        series::latest_over(client, host.id, &windows, at, host.app_interval),
        findings::read(client, host, at),
        kinds(client, host, at),
    );
    let mut values = own?;
    values.extend(services?);
    let findings = findings?;
    Ok(Evaluation {
        facts: facts(&metrics, &values, &findings.severities),
        findings,
        presence: presence(client, host, at, &values, kinds?).await?,
    })
}

/// Returns one value per metric: of a metric with keys that of the worst key. Its severity is that of the
/// open findings of the metric.
fn facts(
    metrics: &[&'static Metric],
    values: &[Latest],
    found: &HashMap<String, Severity>,
) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(metrics.len());
    for metric in metrics {
        let worst = values
            .iter()
            .filter(|one| one.metric == *metric)
            .map(|one| (one, one.value.map(round)))
            .max_by(|(_, a), (_, b)| {
                let by_severity = metric.severity(*a).cmp(&metric.severity(*b));
                let by_value = a.unwrap_or(f64::MIN).total_cmp(&b.unwrap_or(f64::MIN));
                by_severity.then(by_value)
            });
        let Some((one, value)) = worst else {
            continue;
        };
        let id = metric.id();
        let found = found.get(&id).copied().unwrap_or(Severity::Ok);
        facts.push(Fact {
            metric: id,
            key: one.key.clone(),
            value,
            severity: value.map_or(Severity::Unknown, |_| found),
        });
    }
    facts
}
