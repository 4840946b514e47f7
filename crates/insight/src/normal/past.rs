//! What a detector would have seen: stored samples as means of cycles, to warm it after a first start or an upgrade.
//!
//! The last week is read. Of processes, tables and the I/O of PostgreSQL, which have many keys, two days are: a day is what a
//! detector needs to be believed, with another one for gaps. Hours of processes are kept in slices, of which cycles are multiples, so
//! that none of their samples is read but those of the open hour.

use super::{CYCLE, MOST_KEYS};
use schema::micros::DAY;
use schema::{Domain, Metric, Timestamp};
use store::series::{self, RangeQuery};
use tokio_postgres::Client;

/// How much of a group of metrics is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    /// Days, which are read one at a time.
    days: i64,
    /// Most keys of a metric.
    keys: i64,
}

/// Of what has few keys.
const WEEK: Extent = Extent { days: 7, keys: 32 };
/// Of what has many: all that are followed.
const MANY_KEYS: Extent = Extent {
    days: 2,
    keys: MOST_KEYS as i64,
};

/// The past of a series: values of cycles, oldest first.
#[derive(Clone, Debug)]
pub struct Past {
    /// The metric.
    pub metric: &'static Metric,
    /// The key; empty of a single series.
    pub key: String,
    /// Instants in the middle of each cycle, and its mean.
    pub values: Vec<(Timestamp, f64)>,
}

/// Returns how much of the past of a group is read.
fn extent(group: &[&'static Metric]) -> Extent {
    let has_many = |domain| matches!(domain, Domain::Process | Domain::Table | Domain::Io);
    match group.iter().any(|metric| has_many(metric.domain)) {
        true => MANY_KEYS,
        false => WEEK,
    }
}

/// Reads the past of a group of metrics up to `at`, of which `interval` is the sampling interval, microseconds. What cannot be
/// read is learned as time passes.
pub async fn read(
    client: &Client,
    host_id: i32,
    group: &[&'static Metric],
    at: Timestamp,
    interval: i64,
) -> Vec<Past> {
    let end = at.as_micros().div_euclid(CYCLE) * CYCLE;
    let mut all: Vec<Past> = Vec::new();
    let extent = extent(group);
    for day in (1..=extent.days).rev() {
        let from = Timestamp(end - day * DAY);
        let span = (from, Timestamp(from.as_micros() + DAY));
        let metrics = group.iter().copied();
        let ask = RangeQuery::of_metrics(host_id, span, CYCLE, interval, extent.keys, metrics);
        for found in series::buckets(client, &ask).await.series {
            let key = found.key.unwrap_or_default();
            let middle = |at: Timestamp| Timestamp(at.as_micros() + CYCLE / 2);
            let values = found.buckets.iter().map(|one| (middle(one.at), one.avg));
            let known = all
                .iter_mut()
                .find(|one| one.metric == found.metric && one.key == key);
            match known {
                Some(known) => known.values.extend(values),
                None => all.push(Past {
                    metric: found.metric,
                    key,
                    values: values.collect(),
                }),
            }
        }
    }
    all
}
