//! One reading of every metric that is stored, over a window and what it is compared with.

use std::collections::HashMap;

use schema::{Class, Domain, Every, METRICS, Metric, Timestamp};
use store::series::{self, Bucket, Fault, FoundSeries, RangeQuery, ReadError};
use tokio_postgres::Client;

use crate::Host;
use crate::spans::Spans;

/// Which tables are read. Those of one share are read in one session, so that two sessions share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Tables with few rows a tick.
    Plain,
    /// Those with many, every few minutes: tables, indexes, statements.
    Slow,
    /// Those with many at every tick: processes, endpoints. An hour of them is 100,000 rows, so less is read.
    Dense,
}

impl Share {
    fn of(metric: &Metric) -> Self {
        let table = metric.series.table();
        match (table.class, table.every) {
            (Class::Bulk, Every::Slow) => Self::Slow,
            (Class::Bulk, Every::Tick) => Self::Dense,
            _ => Self::Plain,
        }
    }
}

/// A series over the window and before.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The metric.
    pub metric: &'static Metric,
    /// Its key.
    pub key: Option<String>,
    /// Buckets of the window, oldest first.
    pub within: Vec<Bucket>,
    /// Buckets before, oldest first.
    pub before: Vec<Bucket>,
}

/// Every series.
#[derive(Debug, Default)]
pub struct Readings {
    /// In the order of the catalogue.
    pub series: Vec<Reading>,
    pub(crate) faults: Vec<Fault>,
}

impl Readings {
    /// Reads the metrics of some shares.
    ///
    /// # Errors
    /// When the link fails. A scan that takes too long is named by [`failed`](Self::failed).
    pub async fn read(
        client: &Client,
        host: &Host,
        spans: &Spans,
        shares: &[Share],
    ) -> Result<Self, ReadError> {
        let mut readings = Self::default();
        for share in shares {
            let spans = &match share {
                Share::Plain => *spans,
                Share::Slow => spans.slow(),
                Share::Dense => spans.near(),
            };
            // Each span alone, unless one follows the other: they may lie weeks apart, in any order, or overlap.
            let both = match spans.before.1 == spans.window.0 {
                true => vec![((spans.before.0, spans.window.1), *spans)],
                false => vec![
                    (spans.before, spans.of_before()),
                    (spans.window, spans.of_window()),
                ],
            };
            for (span, sides) in both {
                readings.add(query(client, host, span, spans.step, *share).await, &sides)?;
            }
        }
        Ok(readings)
    }

    /// Adds the series of other shares.
    #[must_use]
    pub fn with(mut self, mut others: Self) -> Self {
        self.series.append(&mut others.series);
        self.faults.append(&mut others.faults);
        self
    }

    fn add(&mut self, answer: series::Answer, spans: &Spans) -> Result<(), ReadError> {
        let mut faults = answer.faults;
        if let Some(at) = faults.iter().position(|fault| !fault.error.is_timeout()) {
            return Err(faults.swap_remove(at).error);
        }
        self.faults.append(&mut faults);
        let mut places: HashMap<(Domain, &str, Option<String>), usize> = HashMap::new();
        for (at, one) in self.series.iter().enumerate() {
            places.insert((one.metric.domain, one.metric.name, one.key.clone()), at);
        }
        for found in answer.series {
            let key = (found.metric.domain, found.metric.name, found.key.clone());
            let at = *places.entry(key).or_insert_with(|| {
                self.series.push(Reading {
                    metric: found.metric,
                    key: found.key.clone(),
                    within: Vec::new(),
                    before: Vec::new(),
                });
                self.series.len() - 1
            });
            self.series[at].take(found, spans);
        }
        Ok(())
    }

    /// Returns the metrics that could not be read, in a sentence each.
    #[must_use]
    pub fn failed(&self) -> Vec<String> {
        let sentence = |fault: &Fault| {
            let first = fault.metrics.first().map_or("metrics", |one| one.label);
            let others = fault.metrics.len().saturating_sub(1);
            match others {
                0 => format!("{first}: the database took too long."),
                _ => format!("{first} and {others} more: the database took too long."),
            }
        };
        self.faults.iter().map(sentence).collect()
    }

    /// Returns the series of a metric.
    pub fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Reading> + 'a {
        let metric = schema::metric(id);
        self.series
            .iter()
            .filter(move |one| Some(one.metric) == metric)
    }
}

impl Reading {
    fn take(&mut self, found: FoundSeries, spans: &Spans) {
        let is_in = |(from, to): (Timestamp, Timestamp), at: Timestamp| from <= at && at < to;
        for bucket in found.buckets {
            if is_in(spans.window, bucket.at) {
                self.within.push(bucket);
            } else if is_in(spans.before, bucket.at) {
                self.before.push(bucket);
            }
        }
    }

    /// Returns the means before.
    #[must_use]
    pub fn means_before(&self) -> Vec<f64> {
        self.before.iter().map(|bucket| bucket.avg).collect()
    }
}

async fn query(
    client: &Client,
    host: &Host,
    span: (Timestamp, Timestamp),
    step: i64,
    share: Share,
) -> series::Answer {
    let stored = METRICS
        .iter()
        .filter(|metric| metric.is_rolled_up() && Share::of(metric) == share);
    let ask = RangeQuery::of_metrics(host.id, span, step, host.interval, series::ALL, stored);
    Box::pin(series::of_few_samples(client, &ask)).await
}
